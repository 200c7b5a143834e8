import { wait } from '../cancellation.ts'
import { RefusedError } from '../errors/failures.ts'
import type { Exchange } from '../exchange.ts'
import { retryAfterMs } from '../http/retry-after.ts'
import { longestJittered, retryDefaults } from '../policy/backoff.ts'
import { cancelledOutcome, expectedPolicy } from '../policy/classify.ts'
import type { Gate } from '../policy/gate.ts'
import type { Origins } from '../policy/origins.ts'
import { fail, patient } from '../policy/policies.ts'
import { statusRow } from '../status/table.ts'
import type { FailureOutcome, Handler, Layer, Outcome } from '../types/exchange.ts'
import type { PausePolicy } from '../types/policy.ts'

/** Most calls held per origin, unless the policy says otherwise. */
const defaultMaxHeld = 10_000

/**
 * Holds calls to an origin that asked for a pause (RFC 6585 §4, RFC 9110 §15.6.4). While nothing is the matter with the
 * origin a call passes straight through, and the pause layer looks at what came of it only if that needs repair.
 */
export function gateLayer(origins: Origins): Layer {
  return (next) => (exchange) => {
    const { gate } = origins.of(exchange.request.origin)
    exchange.sentAtClosing = gate.quiet ? gate.closings : null
    return gate.quiet ? next(exchange) : pass(exchange, gate, next)
  }
}

/** Closes the gate of an origin when the answer to a call that passed straight through asks for a pause. */
export function pauseLayer(origins: Origins): Layer {
  return (next) => async (exchange) => {
    const outcome = await next(exchange)
    const { gate } = origins.of(exchange.request.origin)
    return exchange.sentAtClosing === null ? outcome : observe(exchange, gate, exchange.sentAtClosing, outcome)
  }
}

/** Passes a gate that is closed, or was closed by the latest answers. */
async function pass(exchange: Exchange, gate: Gate, next: Handler): Promise<Outcome> {
  exchange.limit()
  const admission = gate.admit(exchange.options.clock.now())
  let probing = admission === 'probe'
  if (admission === 'wait' || admission === 'follow probe') {
    const held = await holdBack(exchange, gate)
    if (typeof held !== 'string') return held
    probing = held === 'probe'
  }
  const sentAtClosing = gate.closings
  try {
    const outcome = await next(exchange)
    return observe(exchange, gate, sentAtClosing, outcome)
  } finally {
    if (probing && gate.closings === sentAtClosing) gate.endProbe()
  }
}

/** Closes or opens the gate by what came back. */
function observe(exchange: Exchange, gate: Gate, sentAtClosing: number, outcome: Outcome): Outcome {
  if (outcome.kind !== 'response') {
    if (!exchange.cancelled) gate.open(sentAtClosing)
    return outcome
  }
  const { clock, random } = exchange.options
  const { received } = outcome
  const { status } = received
  const policy = patient(outcome.policy)
  const mayPause = statusRow(status).retryAfter === 'pauses'
  const askedMs = policy === undefined ? undefined : retryAfterMs(received, clock.wallTime)
  if (policy === undefined || (policy.kind !== 'pause' && !(mayPause && askedMs !== undefined))) {
    // A call that does not want to wait may be told to: that neither closes the gate nor opens it.
    if (policy !== undefined || !mayPause) gate.open(sentAtClosing)
    return outcome
  }
  gate.close({ status, askedMs, sentAtClosing, policy }, clock.now(), random)
  return { ...outcome, heldMs: gate.remainingMs(clock.now()) }
}

/** Waits at the gate; an outcome when the call cannot wait that long, is refused or cancelled. */
async function holdBack(exchange: Exchange, gate: Gate): Promise<'go' | 'probe' | FailureOutcome> {
  const { clock, random, on } = exchange.options
  const policy = patient(expectedPolicy(gate.status, on))
  if (policy === undefined) return 'go'
  if (gate.held >= ((policy as PausePolicy).maxHeld ?? defaultMaxHeld)) return refusal(exchange, gate, 'queue full')
  const arrivedMs = clock.now()
  const maxWaitMs = longestJittered(policy.maxWaitMs ?? retryDefaults.maxWaitMs)
  const latestMs = Math.min(arrivedMs + maxWaitMs, exchange.deadlineMs)
  gate.held += 1
  let spread = false
  try {
    while (!exchange.cancelled) {
      const admission = gate.admit(clock.now())
      if (admission === 'probe' || (admission === 'go' && spread)) {
        exchange.noteWait(clock.now() - arrivedMs, 'pause')
        return admission
      }
      // Whoever is spread out asks again afterwards: the gate may have been closed meanwhile.
      spread = admission === 'go'
      const remainingMs = admission === 'go' ? gate.spreadMs(random) : gate.remainingMs(clock.now())
      if (clock.now() + remainingMs > latestMs) return refusal(exchange, gate, 'paused')
      if (admission !== 'follow probe') await wait(clock, remainingMs, exchange)
      else if (!(await probeEnded(exchange, gate, latestMs))) return refusal(exchange, gate, 'paused')
    }
    return cancelledOutcome(exchange.reason, on)
  } finally {
    gate.held -= 1
  }
}

/** Resolves once the probe has ended; to false when that takes longer than the call can wait. */
function probeEnded(exchange: Exchange, gate: Gate, latestMs: number): Promise<boolean> {
  const { clock } = exchange.options
  return new Promise((resolve) => {
    const settle = (ended: boolean) => (): void => {
      stopTimer()
      stopSettled()
      stopCancel()
      resolve(ended)
    }
    let stopTimer = (): void => {}
    let stopCancel = (): void => {}
    const stopSettled = gate.onSettled(settle(true))
    if (latestMs < Infinity) stopTimer = clock.after(latestMs - clock.now(), settle(false))
    stopCancel = exchange.onCancel(settle(true))
  })
}

function refusal(exchange: Exchange, gate: Gate, kind: 'paused' | 'queue full'): FailureOutcome {
  const remainingMs = gate.remainingMs(exchange.options.clock.now())
  const why = kind === 'paused' ? 'has to wait longer than the call can' : 'holds as many calls as it may'
  const error = new RefusedError(kind, `the origin asked for a pause and ${why}`, exchange.facts(), remainingMs)
  return { kind: 'failure', error, sent: 'no', policy: fail() }
}

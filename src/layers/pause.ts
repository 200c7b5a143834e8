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
    const { quiet } = gate
    exchange.sentAtClosing = quiet ? gate.closings : null
    if (quiet) gate.pace.count(exchange.startMs)
    return quiet ? next(exchange) : pass(exchange, gate, next)
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
  const { clock, random } = exchange.options
  const admission = gate.held > 0 ? 'wait' : gate.admit(clock.now(), random)
  let probing = admission === 'probe'
  if (admission !== 'go' && admission !== 'probe') {
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
    release(gate, exchange)
  }
}

function release(gate: Gate, exchange: Exchange): void {
  const { clock, random } = exchange.options
  const { room } = gate
  const now = clock.now()
  while (room.size > 0) {
    const admission = gate.admit(now, random)
    if (admission !== 'go' && admission !== 'probe') break
    room.call(admission)
  }
  room.wake(clock, room.size === 0 ? Infinity : gate.dueMs(now), () => release(gate, exchange))
}

/** Closes or opens the gate by what came back. */
function observe(exchange: Exchange, gate: Gate, sentAtClosing: number, outcome: Outcome): Outcome {
  if (outcome.kind !== 'response') {
    if (!exchange.cancelled) gate.open(sentAtClosing, exchange.options.clock.now())
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
    if (policy !== undefined || !mayPause) gate.open(sentAtClosing, exchange.options.clock.now())
    return outcome
  }
  gate.close({ status, askedMs, sentAtClosing, policy }, clock.now(), random)
  gate.room.sendAway(clock.now() + gate.remainingMs(clock.now()))
  release(gate, exchange)
  return { ...outcome, heldMs: gate.remainingMs(clock.now()) }
}

/** Waits at the gate; an outcome when the call cannot wait that long, is refused or cancelled. */
async function holdBack(exchange: Exchange, gate: Gate): Promise<'go' | 'probe' | FailureOutcome> {
  const { clock, on } = exchange.options
  const policy = patient(expectedPolicy(gate.status, on))
  if (policy === undefined) return 'go'
  if (gate.held >= ((policy as PausePolicy).maxHeld ?? defaultMaxHeld)) return refusal(exchange, gate, 'queue full')
  const arrivedMs = clock.now()
  const maxWaitMs = longestJittered(policy.maxWaitMs ?? retryDefaults.maxWaitMs)
  const latestMs = Math.min(arrivedMs + maxWaitMs, exchange.deadlineMs)
  for (;;) {
    if (clock.now() + gate.remainingMs(clock.now()) > latestMs) return refusal(exchange, gate, 'paused')
    const waiting = gate.room.wait(exchange, latestMs)
    release(gate, exchange)
    const turn = await waitingFor(waiting, gate)
    if (turn.leave === 'late') return refusal(exchange, gate, 'paused')
    if (turn.leave === 'cancelled') return cancelledOutcome(exchange.reason, on)
    if (turn.closings !== gate.closings) continue
    exchange.noteWait(clock.now() - arrivedMs, 'pause')
    return turn.leave
  }
}

async function waitingFor(waiting: Promise<'go'|'probe'|'late'|'cancelled'>, gate: Gate) {
  const leave = await waiting
  return { leave, closings: gate.closings }
}

function refusal(exchange: Exchange, gate: Gate, kind: 'paused' | 'queue full'): FailureOutcome {
  const remainingMs = gate.remainingMs(exchange.options.clock.now())
  const why = kind === 'paused' ? 'has to wait longer than the call can' : 'holds as many calls as it may'
  const error = new RefusedError(kind, `the origin asked for a pause and ${why}`, exchange.facts(), remainingMs)
  return { kind: 'failure', error, sent: 'no', policy: fail() }
}

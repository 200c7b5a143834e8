import type { Exchange } from '../exchange.ts'
import { retryAfterMs } from '../http/retry-after.ts'
import { longestJittered, retryDefaults } from '../policy/backoff.ts'
import { cancelledOutcome, expectedPolicy, refusedOutcome } from '../policy/classify.ts'
import type { Gate } from '../policy/gate.ts'
import type { Origins } from '../policy/origins.ts'
import { patient } from '../policy/policies.ts'
import { statusRow } from '../status/table.ts'
import type { FailureOutcome, Handler, Layer, Outcome } from '../types/exchange.ts'
import type { ResolvedOptions } from '../types/options.ts'
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
    if (!gate.quiet) return pass(exchange, gate, next)
    gate.pass(exchange.startMs)
    return next(exchange)
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
  const { clock, random } = exchange.options
  exchange.limit()
  // Whoever comes while others are held must not jump their pace.
  let admission = gate.room.size > 0 ? 'wait' : gate.admit(clock.now(), random, false)
  if (admission === 'wait') {
    const held = await holdBack(exchange, gate)
    if (typeof held !== 'string') return held
    admission = held
  }
  const sentAtClosing = gate.closings
  try {
    return observe(exchange, gate, sentAtClosing, await next(exchange))
  } catch (error) {
    // A source of time or chance threw: nothing of the call is left behind.
    exchange.breakOff(error)
    throw error
  } finally {
    if (admission === 'probe' && gate.closings === sentAtClosing) gate.endProbe()
    letGo(gate, exchange.options)
  }
}

/** Lets go the held calls whose turn it is, and comes back when it is that of the next. */
function letGo(gate: Gate, { clock, random }: Pick<ResolvedOptions, 'clock' | 'random'>): void {
  const { room } = gate
  const nowMs = clock.now()
  while (room.size > 0) {
    const admission = gate.admit(nowMs, random, true)
    if (admission === 'wait') break
    room.call({ probe: admission === 'probe', closing: gate.closings }, gate.newestFirst ? 'newest' : 'oldest')
  }
  if (room.size > 0) room.wake(clock, gate.dueMs(nowMs), () => letGo(gate, { clock, random }))
}

/** Closes or opens the gate by what came back. */
function observe(exchange: Exchange, gate: Gate, sentAtClosing: number, outcome: Outcome): Outcome {
  const { clock, random } = exchange.options
  if (outcome.kind !== 'response') {
    if (!exchange.cancelled) open(exchange, gate, sentAtClosing)
    return outcome
  }
  const { received } = outcome
  const { status } = received
  const policy = patient(outcome.policy)
  const mayPause = statusRow(status).retryAfter === 'pauses'
  const askedMs = policy === undefined ? undefined : retryAfterMs(received, clock.wallTime)
  if (policy === undefined || (policy.kind !== 'pause' && !(mayPause && askedMs !== undefined))) {
    // A call that does not want to wait may be told to: that neither closes the gate nor opens it.
    if (policy !== undefined || !mayPause) open(exchange, gate, sentAtClosing)
    return outcome
  }
  const closings = gate.closings
  gate.close({ status, askedMs, sentAtClosing, policy }, clock.now(), random)
  const heldMs = gate.remainingMs(clock.now())
  const { events } = exchange.options
  if (gate.closings !== closings && events.hears('pause.started'))
    events.tell(exchange, 'pause.started', { origin: exchange.request.origin, status, waitMs: heldMs })
  gate.room.sendAway(clock.now() + heldMs)
  letGo(gate, exchange.options)
  return { ...outcome, heldMs }
}

/** Opens the gate, unless what came back is older than its closing. */
function open(exchange: Exchange, gate: Gate, sentAtClosing: number): void {
  const { clock, events } = exchange.options
  const hasEnded = gate.open(sentAtClosing, clock.now())
  if (hasEnded && events.hears('pause.ended'))
    events.tell(exchange, 'pause.ended', { origin: exchange.request.origin, held: gate.room.size })
}

/** Waits at the gate; an outcome when the call cannot wait that long, is refused or cancelled. */
async function holdBack(exchange: Exchange, gate: Gate): Promise<'go' | 'probe' | FailureOutcome> {
  const { clock, on } = exchange.options
  const policy = patient(expectedPolicy(gate.status, on))
  if (policy === undefined) return 'go'
  if (gate.room.size >= ((policy as PausePolicy).maxHeld ?? defaultMaxHeld)) return refusal(exchange, gate, 'queue full')
  const arrivedMs = clock.now()
  const maxWaitMs = longestJittered(policy.maxWaitMs ?? retryDefaults.maxWaitMs)
  const latestMs = Math.min(arrivedMs + maxWaitMs, exchange.deadlineMs)
  for (;;) {
    if (clock.now() + gate.remainingMs(clock.now()) > latestMs) return refusal(exchange, gate, 'paused')
    const waiting = gate.room.wait(exchange, latestMs)
    letGo(gate, exchange.options)
    const leave = await waiting
    if (leave === 'late') return refusal(exchange, gate, 'paused')
    if (leave === 'cancelled') return cancelledOutcome(exchange.reason, on)
    // Another answer may have closed the gate before this call came to its turn.
    if (leave.closing !== gate.closings) continue
    exchange.noteWait(clock.now() - arrivedMs, 'pause')
    return leave.probe ? 'probe' : 'go'
  }
}

function refusal(exchange: Exchange, gate: Gate, kind: 'paused' | 'queue full'): FailureOutcome {
  const remainingMs = gate.remainingMs(exchange.options.clock.now())
  const why = kind === 'paused' ? 'has to wait longer than the call can' : 'holds as many calls as it may'
  return refusedOutcome(exchange, kind, `the origin asked for a pause and ${why}`, remainingMs)
}

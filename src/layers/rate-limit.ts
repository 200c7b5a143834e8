import type { Clock } from '../clock.ts'
import type { Exchange } from '../exchange.ts'
import { quotasOf } from '../http/rate-limit.ts'
import { Line, type Turn } from '../line.ts'
import { cancelledOutcome, refusedOutcome } from '../policy/classify.ts'
import type { Origins } from '../policy/origins.ts'
import type { Ticket } from '../policy/quota.ts'
import { Rate } from '../policy/rate.ts'
import type { FailureOutcome, Handler, Layer, Outcome } from '../types/exchange.ts'
import type { RateLimitConfig } from '../types/protection.ts'

/**
 * Sends requests to an origin no more often than the caller set and the origin said. Calls wait for their turn in the
 * order in which they came; one that cannot have its turn in time is refused at once.
 */
export function rateLimitLayer(origins: Origins, config: RateLimitConfig): Layer {
  return (next) => {
    const send = sending(next, config.followServer)
    return (exchange) => {
      if (exchange.cancelled) return Promise.resolve(cancelledOutcome(exchange.reason, exchange.options.on))
      const turns = origins.of(exchange.request.origin).part(config, Turns)
      const goes = turns.line.length === 0 && turns.rate.take(exchange.options.clock.now())
      return goes ? send(exchange, turns) : queued(exchange, turns, config, send)
    }
  }
}

type SendTurn = (exchange: Exchange, turns: Turns) => Promise<Outcome>

/** The turns of the calls to one origin. */
class Turns {
  readonly rate: Rate
  readonly line: Line = new Line()
  #stopTimer: (() => void) | undefined

  constructor(config: RateLimitConfig) {
    this.rate = new Rate(config)
  }

  get busy(): boolean {
    return this.line.length > 0 || this.rate.busy
  }

  /** Calls whoever may go now, and comes back when the next one may. */
  advance(clock: Clock): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    while (this.line.length > 0 && this.rate.take(clock.now())) this.line.call()
    if (this.line.length === 0) {
      this.rate.hurry(0)
      return
    }
    const nowMs = clock.now()
    // Rounded up: a timer that fires a fraction too early would fire for nothing.
    this.#stopTimer = clock.after(Math.ceil(this.rate.pacedTurnMs(nowMs, 0) - nowMs), () => this.advance(clock))
  }
}

/** Waits for a turn, unless it would come too late. */
function queued(exchange: Exchange, turns: Turns, config: RateLimitConfig, send: SendTurn): Promise<Outcome> {
  const { clock } = exchange.options
  const { rate, line } = turns
  const nowMs = clock.now()
  const isTooLate = (ms: number): boolean => ms > nowMs + config.maxWaitMs || ms >= exchange.deadlineMs
  const turnMs = rate.turnMs(nowMs, line.length)
  const isFull = line.length >= config.maxQueued
  if (isFull && turnMs > nowMs) return Promise.resolve(refusal(exchange, 'queue full', turnMs - nowMs))
  if (isTooLate(turnMs)) return Promise.resolve(refusal(exchange, 'rate limited', turnMs - nowMs))
  exchange.limit()
  const turn = line.wait(clock, nowMs + config.maxWaitMs, exchange)
  // Nobody is refused for the sake of the pace; that those before it hurry, too, keeps the order.
  if (isFull || isTooLate(rate.pacedTurnMs(nowMs, line.length - 1))) rate.hurry(line.length)
  turns.advance(clock)
  return turn.then((came) => turned(exchange, turns, came, nowMs, send))
}

/** The wait is over, one way or the other. */
function turned(exchange: Exchange, turns: Turns, came: Turn, arrivedMs: number, send: SendTurn): Outcome | Promise<Outcome> {
  const { clock, on } = exchange.options
  const nowMs = clock.now()
  if (exchange.cancelled) {
    if (came === 'called') turns.rate.giveBack()
    turns.advance(clock)
    return cancelledOutcome(exchange.reason, on)
  }
  if (came === 'late') {
    const goes = turns.rate.takeHurried(nowMs)
    turns.advance(clock)
    if (!goes) return refusal(exchange, 'rate limited', turns.rate.turnMs(nowMs, turns.line.length) - nowMs)
  }
  if (nowMs > arrivedMs) exchange.noteWait(nowMs - arrivedMs, 'rate limit')
  return send(exchange, turns)
}

/** Sends, gives back the turn of what was not sent, and learns from the response what is left. */
function sending(next: Handler, follows: boolean): SendTurn {
  return (exchange, turns) => {
    const { rate } = turns
    const { latest } = exchange
    const ticket = rate.begin()
    return next(exchange).then(
      (outcome) => {
        let told = false
        try {
          told = follows && learned(exchange, rate, ticket, outcome)
        } finally {
          // What was refused or given up further on never became an attempt.
          settle(rate, outcome, exchange.latest !== latest)
        }
        if (turns.line.length > 0 && (told || isUnsent(outcome))) turns.advance(exchange.options.clock)
        return outcome
      },
      (error) => {
        rate.settle(false)
        throw error
      },
    )
  }
}

/** Whether the response told of a quota. */
function learned(exchange: Exchange, rate: Rate, ticket: Ticket, outcome: Outcome): boolean {
  if (outcome.kind !== 'response') return false
  const { clock, random } = exchange.options
  const told = quotasOf(outcome.received, clock.wallTime)
  if (told.length > 0) rate.learn(told, ticket, clock.now(), random)
  return told.length > 0
}

function settle(rate: Rate, outcome: Outcome, wasAttempted: boolean): void {
  if (isUnsent(outcome) && wasAttempted) rate.unsent()
  else if (isUnsent(outcome)) rate.refused()
  rate.settle(outcome.kind === 'response')
}

function isUnsent(outcome: Outcome): boolean {
  return outcome.kind === 'failure' && outcome.sent === 'no'
}

function refusal(exchange: Exchange, kind: 'rate limited' | 'queue full', waitMs: number): FailureOutcome {
  const why = kind === 'rate limited' ? 'the call would have to wait longer than it can' : 'as many calls wait as may'
  return refusedOutcome(exchange, kind, `the rate to the origin is limited and ${why}`, Math.ceil(waitMs))
}

import type { Chance } from './chance.ts'
import { attemptTimeoutMs, type Open, type Surroundings } from './client.ts'
import type { Answer } from './site.ts'

/** What came of an attempt. */
export type Outcome = Answer | 'timeout'

/** Something beside the single call that has a say in its retries: a bucket of tokens, a breaker. */
export interface Guard {
  /** Whether an attempt may be sent at all. */
  admits?(): boolean
  /** What a retry costs; undefined when it cannot be paid. Asked once per failure that is to be repeated. */
  pay?(outcome: Outcome): number | undefined
  /** Every outcome of an attempt, with what was last paid in its call. */
  saw?(outcome: Outcome, paid: number | undefined): void
}

/** The default policy of a client, as data. */
export interface Peer {
  /** The first one included. */
  readonly maxAttempts: number
  readonly statuses: readonly number[]
  /** What else it repeats. */
  readonly failures: readonly ('refused' | 'timeout')[]
  /** Milliseconds before a retry, counted from 1. */
  readonly delayMs: (retry: number, random: Chance, outcome: Outcome) => number
  /** How Retry-After is heeded where it is: statuses, and milliseconds beyond which it is cut short. */
  readonly retryAfter?: { readonly statuses: readonly number[]; readonly capMs: number }
  /** Whether the time limit of an attempt is one of all attempts together. */
  readonly sharesTimeout?: boolean
  /** The guard of one process. */
  readonly guard?: (now: () => number) => Guard
}

/** A client that behaves as the policy says; with several servers it picks one at random for each attempt. */
export function peer(policy: Peer): Open {
  return (surroundings) => {
    const { clock, random } = surroundings
    const guard = policy.guard?.(clock.now) ?? {}
    return async (call) => {
      const startMs = clock.now()
      let paid: number | undefined
      for (let attempt = 1; ; attempt += 1) {
        if (guard.admits?.() === false) return false
        const outcome = await sendOnce(surroundings, call, policy.sharesTimeout ? startMs : clock.now())
        guard.saw?.(outcome, paid)
        if (succeeded(outcome)) return true
        if (attempt === policy.maxAttempts || !repeats(policy, outcome)) return false
        if (guard.pay !== undefined) {
          paid = guard.pay(outcome)
          if (paid === undefined) return false
        }
        const waitMs = retryAfterMs(policy, outcome) ?? policy.delayMs(attempt, random, outcome)
        await new Promise<void>((resolve) => clock.after(waitMs, resolve))
      }
    }
  }
}

/** Whether an attempt got what was asked for. */
export function succeeded(outcome: Outcome): boolean {
  return typeof outcome !== 'string' && outcome.status < 400
}

function repeats({ statuses, failures }: Peer, outcome: Outcome): boolean {
  return typeof outcome === 'string' ? failures.includes(outcome) : statuses.includes(outcome.status)
}

function retryAfterMs({ retryAfter }: Peer, outcome: Outcome): number | undefined {
  if (retryAfter === undefined || typeof outcome === 'string' || outcome.retryAfterS === undefined) return undefined
  return retryAfter.statuses.includes(outcome.status) ? Math.min(outcome.retryAfterS * 1_000, retryAfter.capMs) : undefined
}

function sendOnce({ clock, random, servers, send }: Surroundings, call: number, limitFromMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const leftMs = Math.max(0, limitFromMs + attemptTimeoutMs - clock.now())
    const stop = clock.after(leftMs, () => resolve('timeout'))
    send(call, servers === 1 ? 0 : Math.floor(random() * servers), (answer) => {
      stop()
      resolve(answer)
    })
  })
}

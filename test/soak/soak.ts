// One soak, from its first call to the look at what was left behind.
import { getEventListeners } from 'node:events'
import { createFetch, pause, retry } from 'steadfetch'
import { CountingClock } from './clock.ts'
import { bytesInUse, isFlat } from './heap.ts'
import { type Call, type Kind, kinds } from './kinds.ts'
import { Protected } from './protected.ts'
import { startServers } from './servers.ts'
import { togetherClient } from './together.ts'

/** What to do. */
export interface Plan {
  readonly requests: number
  readonly concurrency: number
  readonly seed: number
}

/** What came of it. */
export interface Soaked {
  readonly requests: number
  readonly seconds: number
  readonly perSecond: number
  /** Connections that the servers have seen. */
  readonly connections: number
  /** Megabytes in use, again and again in the course of the calls. */
  readonly megabytes: readonly number[]
  /** Calls of each kind. */
  readonly calls: Readonly<Record<string, number>>
  /** What came of those of the client with every protection on. */
  readonly protected: Readonly<Record<string, number>>
  /** Everything that was not as it must be. */
  readonly violations: readonly string[]
}

/** The heap is looked at each time so many calls have been made, six times at least. */
const sampleEvery = 20_000
/** How many unexpected outcomes are shown. */
const shownOutcomes = 20

/** Runs it. */
export async function soak({ requests, concurrency, seed }: Plan): Promise<Soaked> {
  const violations: string[] = []
  process.on('warning', (warning) => violations.push(`warning: ${warning.name}: ${warning.message}`))
  process.on('unhandledRejection', (reason) => violations.push(`unhandled rejection: ${String(reason)}`))
  const servers = await startServers()
  const before = resources()
  const clock = new CountingClock()
  const on = { '5xx': now, network: now, timeout: now, 429: pause({ baseMs: 0 }) }
  // The budget is that of every client, or has a token for each call at a time: each retry here leads to a success, which
  // gives back what it took. One that the budget refuses is an unexpected outcome: something was not given back.
  const api = createFetch({ clock, on, retryBudget: { capacity: Math.max(100, concurrency) } })
  const guarded = new Protected(servers.origins, clock)
  const together = togetherClient(clock, concurrency)
  const { signal: shared } = new AbortController()
  const [first, , lasting] = servers.origins as [string, string, string]
  const tally = new Tally(seed)
  const one = async (id: number): Promise<void> => {
    const { name, kind } = tally.draw()
    const origin = servers.origins[tally.below(3)] ?? first
    const below = (limit: number): number => tally.below(limit)
    const call: Call = { api, id, origin, lasting, shared, protected: guarded, together, below }
    await kind(call).catch((error: unknown) => tally.unexpected(`${name}: ${String(error)}`))
  }
  const startMs = performance.now()
  const samples: number[] = []
  const looks = Math.max(6, Math.round(requests / sampleEvery))
  for (let look = 1; look <= looks; look += 1) {
    const until = Math.round((requests * look) / looks)
    await Promise.all(Array.from({ length: concurrency }, () => worker(() => tally.next(until), one)))
    samples.push(await bytesInUse())
  }
  const seconds = (performance.now() - startMs) / 1_000
  if (!isFlat(samples)) violations.push('the heap grows')
  // The last of what nobody reads is let go by its time limit.
  await new Promise((resolve) => setTimeout(resolve, 500))
  if (clock.armed > 0) violations.push(`${clock.armed} timers are armed`)
  const listeners = getEventListeners(shared, 'abort').length
  if (listeners > 0) violations.push(`${listeners} listeners are left on the shared signal`)
  violations.push(...(await guarded.leftBehind()))
  await Promise.all([api.close(), guarded.close(), together.close()])
  if (clock.armed > 0) violations.push(`${clock.armed} timers are armed after close`)
  violations.push(...tally.outcomes, ...(await leftBehind(before)))
  const { open, opened } = await servers.connections()
  if (open > 0) violations.push(`${open} connections are open after close`)
  servers.stop()
  const megabytes = samples.map((bytes) => Math.round(bytes / 10_486) / 100)
  const figures = { requests, seconds: Math.round(seconds), perSecond: Math.round(requests / seconds), connections: opened }
  return { ...figures, megabytes, calls: tally.calls, protected: guarded.outcomes, violations }
}

const now = retry({ baseMs: 0 })

/** Makes one call after the other until there is none left. */
async function worker(next: () => number | undefined, one: (id: number) => Promise<void>): Promise<void> {
  for (let id = next(); id !== undefined; id = next()) await one(id)
}

/** Timers and sockets of this process. */
function resources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /^(?:Timeout|TCPSocketWrap|TCPConnectWrap|TLSWrap)$/.test(name))
}

/** Timers and sockets that were not there before; sockets are given a moment to close. */
async function leftBehind(before: readonly string[]): Promise<string[]> {
  for (let turn = 0; turn < 50 && resources().length > before.length; turn += 1) await new Promise(setImmediate)
  const left = resources()
  return left.length > before.length ? [`left behind after close: ${left.join(', ')}`] : []
}

/** Draws the kinds of the calls, always the same for a seed, and counts them. */
class Tally {
  readonly calls: Record<string, number> = {}
  readonly outcomes: string[] = []
  readonly #drawn: (readonly [string, Kind])[] = []
  #state: number
  #issued = 0
  #unexpected = 0

  constructor(seed: number) {
    this.#state = seed >>> 0
    for (const [name, [weight, kind]] of Object.entries(kinds)) {
      for (let count = 0; count < weight; count += 1) this.#drawn.push([name, kind])
    }
  }

  /** The number of the next call; undefined once there have been so many. */
  next(until: number): number | undefined {
    if (this.#issued >= until) return undefined
    this.#issued += 1
    return this.#issued
  }

  draw(): { readonly name: string; readonly kind: Kind } {
    const [name, kind] = this.#drawn[this.below(this.#drawn.length)] as readonly [string, Kind]
    this.calls[name] = (this.calls[name] ?? 0) + 1
    return { name, kind }
  }

  /** A whole number from 0 up to but not including `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  /** Notes an outcome that is none of those expected. */
  unexpected(outcome: string): void {
    this.#unexpected += 1
    if (this.outcomes.length < shownOutcomes) this.outcomes.push(outcome)
    else this.outcomes[shownOutcomes] = `${this.#unexpected} unexpected outcomes in all`
  }
}

// A fault soak, from its first call to the look at what was left behind.
import type { SteadFetch } from 'steadfetch'
import { CountingClock } from '../clock.ts'
import { bytesInUse } from '../heap.ts'
import { Chance, count } from './chance.ts'
import { makeClients } from './clients.ts'
import { judge, type Verdict } from './judge.ts'
import { Lag } from './lag.ts'
import { type Plan, planOf } from './plan.ts'
import { startServers } from './servers.ts'

/** What to do. */
export interface Order {
  readonly minutes: number
  readonly concurrency: number
  readonly seed: number
  /** Is told how it is getting on, about once a minute. */
  readonly progress: (text: string) => void
}

/** What came of it. */
export interface Soaked {
  readonly calls: number
  readonly seconds: number
  /** Connections that the servers have seen. */
  readonly connections: number
  /** Megabytes in use, each time all calls had ended. */
  readonly megabytes: readonly number[]
  /** Calls by their outcome. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Answers of the servers by their kind. */
  readonly replies: Readonly<Record<string, number>>
  /** Everything that was not as it must be. */
  readonly violations: readonly string[]
}

/** All calls are let end, and the heap is looked at, each time so many seconds have passed; five times at least. */
const stretchSeconds = 20
/** The heap of a soak that is shorter tells nothing. */
const leastSamples = 15
const growthRatio = 0.05
const growthBytes = 1_048_576
/** The longest time limit of a call: it lets go of the last that nobody reads. */
const longestMs = 3_100
const shownViolations = 30

/** Runs it. */
export async function soak({ minutes, concurrency, seed, progress }: Order): Promise<Soaked> {
  const books = new Books()
  const watching = watched(books)
  const servers = await startServers(seed)
  const before = resources()
  const clock = new CountingClock()
  const clients = makeClients(servers.origins, clock)
  const chance = new Chance(seed)
  const lag = new Lag()
  const stretches = Math.max(5, Math.round((minutes * 60) / stretchSeconds))
  const startMs = performance.now()
  const samples: number[] = []
  const worker = async (untilMs: number): Promise<void> => {
    while (performance.now() < untilMs) {
      const plan = planOf(books.nextId(), chance, clients, servers.origins)
      books.note(plan, await judge(plan, clients[plan.client] as (typeof clients)[string], lag))
    }
  }
  let told = 0
  for (let stretch = 1; stretch <= stretches; stretch += 1) {
    const untilMs = startMs + (minutes * 60_000 * stretch) / stretches
    await Promise.all(Array.from({ length: concurrency }, () => worker(untilMs)))
    // What nobody reads holds its start until its time limit, and is no part of what is left.
    if (stretches >= leastSamples) await new Promise((resolve) => setTimeout(resolve, longestMs))
    samples.push(await bytesInUse())
    const minute = Math.floor((performance.now() - startMs) / 60_000)
    if (minute > told) progress(`minute ${minute}: ${books.summary(samples)}`)
    told = minute
  }
  const seconds = Math.round((performance.now() - startMs) / 1_000)
  lag.stop()
  await new Promise((resolve) => setTimeout(resolve, longestMs))
  if (samples.length >= leastSamples && grows(samples)) books.add('the heap grows')
  if (clock.armed > 0) books.add(`${clock.armed} timers are armed`)
  for (const [name, client] of Object.entries(clients)) {
    if (!(await closes(client))) books.add(`close() of ${name} does not end`)
  }
  // A session of HTTP/2 gives its server two seconds to close.
  for (let turn = 0; turn < 150 && (resources().length > before.length || clock.armed > 0); turn += 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
  if (clock.armed > 0) books.add(`${clock.armed} timers are armed after close`)
  if (resources().length > before.length) books.add(`left behind after close: ${resources().join(', ')}`)
  const { open, opened, replies, violations } = await servers.account()
  const tally: Record<string, number> = {}
  for (const name of open) count(tally, name)
  if (open.length > 0) books.add(`connections are open after close: ${JSON.stringify(tally)}`)
  servers.stop()
  watching.stop()
  const megabytes = samples.map(megabytesOf)
  const { calls, outcomes } = books
  return { calls, seconds, connections: opened, megabytes, outcomes, replies, violations: [...books.violations, ...violations] }
}

/** Whether a client is closed within a while: nothing of it is under way any more. */
async function closes(client: SteadFetch): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), closeMs)
  })
  return Promise.race([client.close().then(() => true), late]).finally(() => clearTimeout(timer))
}
const closeMs = 5_000

const megabytesOf = (bytes: number): number => Math.round(bytes / 10_486) / 100

/** The calls so far, and what was wrong with them. */
class Books {
  calls = 0
  readonly outcomes: Record<string, number> = {}
  readonly violations: string[] = []
  #more = 0

  nextId(): number {
    this.calls += 1
    return this.calls
  }

  note({ client, method, target, reading, init, abortMs }: Plan, { outcome, violation }: Verdict): void {
    count(this.outcomes, outcome)
    if (violation === undefined) return
    const { body, json, ...shown } = init
    const more = JSON.stringify({
      ...shown,
      body: body === undefined ? typeof json : Object.prototype.toString.call(body),
      abortMs,
    })
    this.add(`${client}: ${method} ${target}, ${reading}, ${more}: ${violation}`)
  }

  add(violation: string): void {
    if (this.violations.length < shownViolations) this.violations.push(violation)
    else {
      this.#more += 1
      this.violations[shownViolations] = `and ${this.#more} more`
    }
  }

  summary(samples: readonly number[]): string {
    const right = Object.entries(this.outcomes).reduce(
      (sum, [name, calls]) => sum + (name.startsWith('delivered') ? calls : 0),
      0,
    )
    const wrong = this.violations.length + this.#more
    return `${this.calls} calls, ${right} delivered, ${wrong} violations, ${megabytesOf(samples.at(-1) as number)} MB in use`
  }
}

/** What the process says of itself while it runs. */
function watched(books: Books): { stop(): void } {
  const warning = ({ name, message }: Error): void => books.add(`warning: ${name}: ${message}`)
  const rejection = (reason: unknown): void => books.add(`unhandled rejection: ${String((reason as Error)?.stack ?? reason)}`)
  const exception = (error: unknown): void => books.add(`uncaught exception: ${String((error as Error)?.stack ?? error)}`)
  process.on('warning', warning).on('unhandledRejection', rejection).on('uncaughtException', exception)
  return {
    stop: () => {
      process.off('warning', warning).off('unhandledRejection', rejection).off('uncaughtException', exception)
    },
  }
}

/** Timers and sockets of this process. */
function resources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /^(?:Timeout|TCPSocketWrap|TCPConnectWrap|TLSWrap)$/.test(name))
}

/** Whether the last fifth of the samples is higher than the second. */
function grows(samples: readonly number[]): boolean {
  const fifth = Math.floor(samples.length / 5)
  const median = (part: readonly number[]): number => [...part].sort((a, b) => a - b)[part.length >> 1] as number
  const [second, last] = [median(samples.slice(fifth, 2 * fifth)), median(samples.slice(-fifth))]
  return last - second > Math.max(growthRatio * second, growthBytes)
}

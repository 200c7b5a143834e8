import { performance } from 'node:perf_hooks'
import { quantile } from './statistics.ts'

/** What one measurement found, by name. */
export type Figures = Readonly<Record<string, number>>

/** A closed loop: `concurrency` requests are under way until `requests` are done, or `seconds` are over. */
export interface Load {
  readonly concurrency: number
  readonly requests: number
  readonly warmup: number
  readonly seconds: number
}

/** Sends the n-th request and reads its answer. */
export type SendOne = (n: number) => Promise<unknown>

/** Does something before and after what is measured. */
export type Around = <Value>(work: () => Promise<Value>) => Promise<Value>

/** The cost of a request in CPU time of this process, all its threads, and how long it took. */
export async function measure(send: SendOne, load: Load, around: Around): Promise<Figures> {
  await sendAll(send, load.warmup, load)
  const latencies = new Float64Array(load.requests)
  // What the warm-up left behind is not to be collected at the expense of what is measured.
  collectGarbage()
  return around(async () => {
    const startMs = performance.now()
    const cpuBefore = process.cpuUsage()
    const done = await sendAll(send, load.requests, load, latencies)
    const { user, system } = process.cpuUsage(cpuBefore)
    const elapsedMs = performance.now() - startMs
    const sorted = latencies.subarray(0, done).sort()
    return {
      cpu: (user + system) / done,
      perSecond: (done * 1_000) / elapsedMs,
      p50: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
    }
  })
}

/** Sends so many requests; returns how many were done in time. */
export async function sendAll(
  send: SendOne,
  requests: number,
  { concurrency, seconds }: Pick<Load, 'concurrency' | 'seconds'>,
  latencies: Float64Array = new Float64Array(requests),
): Promise<number> {
  const endMs = performance.now() + seconds * 1_000
  let begun = 0
  let done = 0
  const work = async (): Promise<void> => {
    for (let now = performance.now(); begun < requests && now < endMs; ) {
      await send(begun++)
      const end = performance.now()
      latencies[done++] = end - now
      now = end
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return done
}

/** @throws Error when the process was not started with --expose-gc. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc')
  globalThis.gc()
}

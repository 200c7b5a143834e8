import type { Happened } from './world.ts'

/** What a run comes to. */
export interface Figures {
  /** Requests per call of the calls that started in the measured time. */
  readonly amplification: number
  /** The share of these calls that succeeded within 10 s. */
  readonly goodput: number
  /** Milliseconds from the end of the fault to the first second from which on goodput stays at 95 %; null when there is none. */
  readonly recoveryMs: number | null
  /** Milliseconds that 99 % of the successes among the measured calls took at most; null when there is none. */
  readonly p99Ms: number | null
  /** Most requests sent in one second from the beginning of the fault on. */
  readonly peak: number
  readonly series: Series
}

/** The course of a run, second by second. */
export interface Series {
  /** Calls started. */
  readonly calls: readonly number[]
  /** Requests sent. */
  readonly requests: readonly number[]
  /** Calls started that succeeded within 10 s. */
  readonly good: readonly number[]
}

/** A call that takes longer than this has not succeeded for its caller, in milliseconds. */
const patienceMs = 10_000
const healthyGoodput = 0.95

/** Measures what happened. */
export function figuresOf(happened: Happened): Figures {
  const { calls, faultFromMs, measuredUntilMs } = happened
  let [count, requests, good] = [0, 0, 0]
  const latencies: number[] = []
  for (const [call, startMs] of calls.startMs.entries()) {
    if (startMs < faultFromMs || startMs >= measuredUntilMs) continue
    count += 1
    requests += calls.requests[call] as number
    if (isGood(happened, call)) good += 1
    if (calls.succeeded[call]) latencies.push((calls.endMs[call] as number) - startMs)
  }
  const series = seriesOf(happened)
  return {
    amplification: requests / count,
    goodput: good / count,
    recoveryMs: recoveryOf(happened, series),
    p99Ms: percentile(latencies, 0.99),
    peak: Math.max(...series.requests.slice(Math.floor(faultFromMs / 1_000))),
    series,
  }
}

function isGood({ calls }: Happened, call: number): boolean {
  const endMs = calls.endMs[call]
  return endMs !== undefined && calls.succeeded[call] === true && endMs - (calls.startMs[call] as number) <= patienceMs
}

function seriesOf(happened: Happened): Series {
  const { calls, untilMs } = happened
  const seconds = Math.ceil(untilMs / 1_000)
  const started = new Array<number>(seconds).fill(0)
  const good = new Array<number>(seconds).fill(0)
  for (const [call, startMs] of calls.startMs.entries()) {
    const second = Math.floor(startMs / 1_000)
    started[second] = (started[second] as number) + 1
    if (isGood(happened, call)) good[second] = (good[second] as number) + 1
  }
  const requests = Array.from({ length: Math.max(seconds, calls.sentBySecond.length) }, (_, s) => calls.sentBySecond[s] ?? 0)
  return { calls: started, requests, good }
}

/** Backwards from the end, as long as every second is healthy. */
function recoveryOf({ faultUntilMs }: Happened, { calls, good }: Series): number | null {
  const end = Math.floor(faultUntilMs / 1_000)
  let second = calls.length
  while (second > end && (good[second - 1] as number) >= healthyGoodput * (calls[second - 1] as number)) second -= 1
  return second === calls.length ? null : second * 1_000 - faultUntilMs
}

function percentile(values: number[], share: number): number | null {
  if (values.length === 0) return null
  values.sort((a, b) => a - b)
  return values[Math.ceil(share * values.length) - 1] as number
}

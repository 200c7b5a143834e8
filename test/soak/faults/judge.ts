// One call of the fault soak, and whether it ended as it must: in time, with the right content or with a typed error.
import { getEventListeners } from 'node:events'
import {
  BodyError,
  isHttpError,
  isNetworkError,
  isRefusedError,
  isTimeoutError,
  RedirectError,
  type SteadFetch,
  SteadfetchError,
} from 'steadfetch'
import { contentOf } from './content.ts'
import type { Lag } from './lag.ts'
import { type Plan, Thrown } from './plan.ts'

/** What came of a call. */
export interface Verdict {
  /** In a few words. */
  readonly outcome: string
  /** What was not as it must be; undefined when all was well. */
  readonly violation?: string
}

/** What a call may take beyond its limit, and this process not keep it from. */
const slackMs = 1_000
/** A call that goes on for so long after its limit will never end. */
const graceMs = 20_000
/** Ways to read that leave something under way. */
const leftOpen = new Set(['never read', 'taken, never read', 'one clone'])
const withoutContent = new Set([204, 205, 304])

/** Makes a call and judges it. */
export async function judge(plan: Plan, api: SteadFetch, lag: Lag): Promise<Verdict> {
  const controller = new AbortController()
  const reason = new Thrown('the caller gave up')
  const abortTimer = plan.abortMs === undefined ? undefined : setTimeout(() => controller.abort(reason), plan.abortMs)
  const [startMs, lostMs] = [performance.now(), lag.lostMs]
  const outcome = await ending(perform(plan, api, controller.signal), plan.limitMs + graceMs)
  const [tookMs, inTimeMs] = [performance.now() - startMs, plan.limitMs + slackMs + lag.lostMs - lostMs]
  if (plan.client !== 'standard' || !leftOpen.has(plan.reading)) clearTimeout(abortTimer)
  const verdict = judged(outcome, plan, reason)
  if (verdict.violation !== undefined) return verdict
  if (tookMs > inTimeMs)
    return { ...verdict, violation: `took ${Math.round(tookMs)} ms, with a limit of ${plan.limitMs} ms (${verdict.outcome})` }
  const listeners = getEventListeners(controller.signal, 'abort').length
  if (listeners > 0 && !leftOpen.has(plan.reading))
    return { ...verdict, violation: `${listeners} listeners are left on its signal (${verdict.outcome})` }
  return verdict
}

type Outcome = { readonly status: number } | { readonly error: unknown } | 'no end'

async function perform({ target, key, method, init, read }: Plan, api: SteadFetch, signal: AbortSignal): Promise<Outcome> {
  try {
    const response = await api(target, { ...init, signal })
    const { status } = response
    const isBodiless = method === 'HEAD' || withoutContent.has(status)
    await read(response, isBodiless ? '' : status === 200 ? contentOf(key) : undefined)
    return { status }
  } catch (error) {
    return { error }
  }
}

async function ending(call: Promise<Outcome>, ms: number): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined
  const never = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve('no end'), ms)
  })
  return Promise.race([call, never]).finally(() => clearTimeout(timer))
}

function judged(outcome: Outcome, { client }: Plan, reason: unknown): Verdict {
  if (outcome === 'no end') return { outcome: 'no end', violation: 'does not end' }
  if ('status' in outcome) return { outcome: `delivered ${outcome.status}` }
  const { error } = outcome
  if (error === reason) return { outcome: 'given up by the caller' }
  if (error instanceof Thrown) return { outcome: 'thrown by a function of the caller' }
  if (client === 'standard' && error instanceof TypeError && error.message === 'fetch failed') return { outcome: 'fetch failed' }
  const name = nameOf(error)
  if (name === undefined || name === 'body: json') return { outcome: 'untyped', violation: describe(error) }
  return { outcome: name }
}

function nameOf(error: unknown): string | undefined {
  if (isHttpError(error)) return `status ${error.status}`
  if (isNetworkError(error)) return `network: ${error.kind}`
  if (isTimeoutError(error)) return `time limit: ${error.kind}`
  if (isRefusedError(error)) return `refused: ${error.kind}`
  if (error instanceof RedirectError) return `redirect: ${error.kind}`
  if (error instanceof BodyError) return `body: ${error.kind}`
  return error instanceof SteadfetchError ? error.code : undefined
}

function describe(error: unknown): string {
  const { stack, cause } = Object(error) as { stack?: unknown; cause?: unknown }
  return `${String(stack ?? error)}${cause === undefined ? '' : `\n  because of ${String((cause as Error).stack ?? cause)}`}`
}

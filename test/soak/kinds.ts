// The kinds of calls of the soak: each makes one call and tells what was not as it must be.
import { deepEqual, equal, ok } from 'node:assert/strict'
import { isHttpError, isNetworkError, isTimeoutError, type SteadFetch, type SteadInit } from 'steadfetch'
import { chunks, longText, problem, value } from './content.ts'
import type { Protected } from './protected.ts'
import { protectedKinds } from './protected-kinds.ts'
import { togetherKinds } from './together.ts'
import { uploads } from './uploads.ts'

/** What a call has to do with. */
export interface Call {
  readonly api: SteadFetch
  /** A number of its own. */
  readonly id: number
  /** An origin; the second of `origins` closes connections without notice. */
  readonly origin: string
  /** An origin whose connections last. */
  readonly lasting: string
  /** What every call but those with a signal of their own is given. */
  readonly shared: AbortSignal
  /** The client with every protection on. */
  readonly protected: Protected
  /** The client with a cache, coalescing, resumption, polling and credentials. */
  readonly together: SteadFetch
  /** Draws a whole number from 0 up to but not including `limit`. */
  readonly below: (limit: number) => number
}

/** Makes a call; rejects when its outcome is none of those expected. */
export type Kind = (call: Call) => Promise<void>

const ask = ({ api, origin, shared, id }: Call, path: string, init: SteadInit = {}): Promise<Response> =>
  api(`${origin}/${path.replace('#', String(id))}`, { signal: shared, ...init })

/** What the promise rejects with; the outcome was unexpected when it does not. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  ok(outcome !== undefined, 'resolved where a rejection was due')
  return outcome.error
}

const json =
  (path: string, init: SteadInit = {}): Kind =>
  async (call) =>
    deepEqual(await (await ask(call, path, init)).json(), value)

const text =
  (path: string, expected: string): Kind =>
  async (call) =>
    equal(await (await ask(call, path)).text(), expected)

const bodiless =
  (path: string, status: number, init: SteadInit = {}): Kind =>
  async (call) => {
    const response = await ask(call, path, init)
    equal(response.status, status)
    equal(response.body, null)
  }

const moved =
  (status: number): Kind =>
  async (call) => {
    const response = await ask(call, `moved/#/${status}`)
    ok(response.redirected)
    deepEqual(await response.json(), value)
  }

/** A response that nobody reads. */
const dropped =
  (path: string): Kind =>
  async (call) =>
    equal((await ask(call, path)).status, 200)

/**
 * More than the client holds that nobody reads: the time limit of the call lets it go. Now and then it passes before the
 * response is there, or while the call waits for the end of a pause.
 */
const droppedLarge: Kind = async (call) => {
  const outcome = await ask(call, 'large/#', { timeoutMs: 100 }).catch((error: unknown) => error)
  const { code } = outcome as { readonly code?: unknown }
  ok(outcome instanceof Response || code === 'ERR_STEADFETCH_TIMEOUT_CALL' || code === pausedCode, String(outcome))
}
const pausedCode = 'ERR_STEADFETCH_REFUSED_PAUSED'

const missing: Kind = async (call) => {
  const error = await failure(ask(call, 'missing/#'))
  ok(isHttpError(error, 404))
  deepEqual(error.problem, problem)
}

const resetAlways: Kind = async (call) => {
  const error = await failure(ask(call, 'reset-always/#', { method: 'POST', body: 'once' }))
  ok(isNetworkError(error) && error.kind === 'reset' && error.attempts === 1, String(error))
}

const resetMidway: Kind = async (call) => {
  const error = await failure(ask(call, 'reset-midway/#').then((response) => response.text()))
  ok(isNetworkError(error) && ['reset', 'truncated'].includes(error.kind), String(error))
}

const shortGzip: Kind = async (call) => {
  const error = await failure(ask(call, 'short-gzip/#').then((response) => response.text()))
  ok((error as { code?: unknown }).code === 'ERR_STEADFETCH_BODY_DECODE', String(error))
}

const aborted: Kind = async (call) => {
  const controller = new AbortController()
  const reason = new Error('enough')
  setTimeout(() => controller.abort(reason), 15)
  equal(await failure(ask(call, 'drip/#', { signal: controller.signal }).then((response) => response.text())), reason)
}

const silent: Kind = async (call) => {
  const error = await failure(ask(call, 'silent/#', { attemptTimeoutMs: 50, maxAttempts: 1 }))
  ok(isTimeoutError(error) && error.kind === 'attempt', String(error))
}

/** The consumer leaves after the first part, by its reader or by an iteration. */
const cancelled: Kind = async (call) => {
  const { body } = await ask(call, 'large/#')
  ok(body !== null)
  if (call.id % 2 === 0) {
    const reader = body.getReader()
    ok((await reader.read()).value?.length)
    await reader.cancel()
  } else for await (const part of body) if (part.length > 0) break
}

const cloned: Kind = async (call) => {
  const response = await ask(call, 'long/#')
  const copy = response.clone()
  equal(await (call.id % 2 === 0 ? response : copy).text(), longText)
}

/** How often each kind is taken, and what it is. */
export const kinds: Readonly<Record<string, readonly [weight: number, kind: Kind]>> = {
  json: [16, json('json/#')],
  '64 KiB': [6, text('long/#', longText)],
  gzip: [6, text('gzip/#', longText)],
  chunked: [6, text('chunked/#', chunks.join(''))],
  204: [4, bodiless('empty/#', 204)],
  HEAD: [4, bodiless('json/#', 200, { method: 'HEAD' })],
  304: [3, bodiless('unchanged/#', 304, { headers: { 'if-none-match': '"7"' } })],
  301: [3, moved(301)],
  307: [3, moved(307)],
  404: [6, missing],
  '500, then 200': [3, json('flaky/#/500')],
  '503, then 200': [3, json('flaky/#/503')],
  '429, then 200': [2, json('limited/#')],
  'reset, then 200': [2, json('reset-early/#')],
  'reset before the head': [2, resetAlways],
  'reset within the body': [2, resetMidway],
  'gzip cut short': [3, shortGzip],
  'aborted by the caller': [2, aborted],
  'attempt timed out': [1, silent],
  'cancelled after the first part': [2, cancelled],
  'never read': [3, dropped('json/#')],
  'never read, 64 KiB': [2, dropped('long/#')],
  'never read, 1 MiB': [1, droppedLarge],
  'one branch of a clone read': [3, cloned],
  'connection: close': [3, json('closing/#')],
  ...uploads,
  ...protectedKinds,
  ...togetherKinds,
}

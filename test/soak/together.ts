// The calls of the client with a cache, coalescing, resumption, polling and credentials; some of them leave at some moment.
import { deepEqual, equal, ok } from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { type Clock, createFetch, poll, refresh, retry, type SteadFetch, type SteadInit } from 'steadfetch'
import { longText, value } from './content.ts'
import type { Call, Kind } from './kinds.ts'

/** So many targets of each kind, so that calls ask for the same. */
const targets = 12
/** Of those who leave, the last does so many milliseconds after it began. */
const latestMs = 12

/** The client. */
export function togetherClient(clock: Clock, concurrency: number): SteadFetch {
  const now = retry({ baseMs: 0 })
  const api: SteadFetch = createFetch({
    clock,
    cache: { maxEntries: 20 },
    resume: { baseMs: 0 },
    retryBudget: { capacity: Math.max(100, 20 * concurrency) },
    on: {
      202: poll({ intervalMs: 1 }),
      401: refresh(async ({ request }) => {
        const token = await (await api(new URL('/token', request.url))).text()
        return { authorization: `Bearer ${token}` }
      }),
      network: now,
      timeout: now,
    },
  })
  return api
}

const ask = ({ together, origin, shared, below, id }: Call, path: string, init: SteadInit = {}): Promise<Response> => {
  const target = path.replace('#', String(below(targets))).replace('@', String(id))
  return together(`${origin}/${target}`, { signal: shared, ...init })
}

type Read = (response: Response) => Promise<void>

const isJson: Read = async (response) => deepEqual(await response.json(), value)
const isText: Read = async (response) => equal(await response.text(), longText)

/** Part by part, as a stream. */
const isStream: Read = async (response) => {
  const parts: Uint8Array[] = []
  for await (const part of response.body as ReadableStream<Uint8Array>) parts.push(part)
  equal(Buffer.concat(parts).toString(), longText)
}

const whole =
  (path: string, read: Read, init?: SteadInit): Kind =>
  async (call) =>
    read(await ask(call, path, init))

/** The caller leaves, or has everything by then; the others go on. */
const left =
  (path: string, read: Read): Kind =>
  async (call) => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const timer = setTimeout(() => controller.abort(reason), call.below(latestMs))
    try {
      await read(await ask(call, path, { signal: controller.signal }))
    } catch (error) {
      ok(error === reason, String(error))
    }
    clearTimeout(timer)
    equal(getEventListeners(controller.signal, 'abort').length, 0, 'a listener is left on the signal of the call')
  }

/** Nobody reads it. */
const dropped =
  (path: string): Kind =>
  async (call) =>
    equal((await ask(call, path)).status, 200)

/** How often each kind is taken, and what it is. */
export const togetherKinds: Readonly<Record<string, readonly [weight: number, kind: Kind]>> = {
  'together: cached': [8, whole('cached/#', isJson)],
  'together: cached, validated': [3, whole('cached/#', isJson, { cache: 'no-cache' })],
  'together: cached, left': [3, left('cached/#', isJson)],
  'together: download': [4, whole('download/#', isText)],
  'together: download, streamed': [2, whole('download/#', isStream)],
  'together: download, left': [2, left('download/#', isText)],
  'together: download, never read': [1, dropped('download/#')],
  'together: polled': [3, whole('work/@/0', isJson)],
  'together: polled, left': [2, left('work/@/0', isJson)],
  'together: secret': [6, whole('secret/#', isJson)],
  'together: secret, left': [2, left('secret/#', isJson)],
}

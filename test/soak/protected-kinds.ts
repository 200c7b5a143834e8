// The calls of the client with every protection on: under a deadline, aborted at some moment; any honest end will do.
import { deepEqual, equal, ok } from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { isHttpError, isNetworkError, isRefusedError, isTimeoutError, type SteadInit, traceOf, withDeadline } from 'steadfetch'
import { chunks, longText, marker, value } from './content.ts'
import type { Kind } from './kinds.ts'

/** The longest deadline of a call. */
const longestMs = 400
/** Of so many calls one is aborted at once, one in the next turn, and one within so many milliseconds. */
const onceIn = 16
const latestAbortMs = 60
/** Of so many calls the first ones find every second request reset. */
const outageEvery = 1_000
const outageFor = 150
/** A call that goes on for so long after its deadline will never end. */
const graceMs = 15_000

/** Takes what a response holds, and holds it against what was sent. */
type Read = (response: Response) => Promise<void>

const isJson: Read = async (response) => deepEqual(await response.json(), value)
const isText =
  (expected: string): Read =>
  async (response) =>
    equal(await response.text(), expected)
const isUploaded: Read = async (response) => ok(((await response.json()) as { readonly whole: boolean }).whole)
const isEndless: Read = async (response) => {
  await response.text()
  throw new Error('read whole what has no end')
}
/** Nobody reads it: its deadline lets it go. */
const dropped: Read = async () => {}

/** Aborts at a moment that the number draws; returns how to leave it. */
function abortAt(moment: number, abort: () => void): () => void {
  if (moment % onceIn === 1) queueMicrotask(abort)
  if (moment % onceIn === 2) setImmediate(abort)
  if (moment % onceIn !== 3) return () => {}
  const timer = setTimeout(abort, moment % latestAbortMs)
  return () => clearTimeout(timer)
}

/** What the call failed with, in a word; undefined for what it must not fail with. */
function nameOf(error: unknown, reason: unknown): string | undefined {
  if (error === reason) return 'aborted'
  if (isRefusedError(error)) return error.kind
  if (isTimeoutError(error)) return `time limit: ${error.kind}`
  if (isNetworkError(error)) return `network: ${error.kind}`
  return isHttpError(error) ? String(error.status) : undefined
}

/** Rejects when the call does not end. */
async function ending(call: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const never = new Promise<void>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the call does not end')), longestMs + graceMs)
  })
  await Promise.race([call, never]).finally(() => clearTimeout(timer))
}

const guarded =
  (path: string, read: Read, init: SteadInit = {}): Kind =>
  async ({ protected: client, id, below, lasting }) => {
    const controller = new AbortController()
    const { signal } = controller
    const reason = new Error('enough')
    // Most go to the endpoints, by the name of the first; some past them.
    const asked = id % outageEvery < outageFor && id % 2 === 0 ? 'reset-always/#' : path
    const target = `${id % 5 === 0 ? `${lasting}/` : ''}${asked.replace('#', String(id))}`
    const leave = abortAt(below(onceIn * latestAbortMs), () => controller.abort(reason))
    const call = withDeadline(
      below(longestMs),
      async () => {
        const response = await client.clientOf(id)(target, { signal, attemptTimeoutMs: 200, ...init })
        if (traceOf(response)?.attempts.some(({ hedge }) => hedge)) client.count('hedged')
        await read(response)
      },
      { repeated: id % 3 === 0 },
    )
    try {
      await ending(call)
      client.count('as expected')
    } catch (error) {
      const name = nameOf(error, reason)
      if (name === undefined) throw error
      client.count(name)
    }
    leave()
    if (read !== dropped) equal(getEventListeners(signal, 'abort').length, 0, 'a listener is left on the signal of the call')
  }

/** How often each kind is taken, and what it is. */
export const protectedKinds: Readonly<Record<string, readonly [weight: number, kind: Kind]>> = {
  'protected: json': [20, guarded('json/#', isJson)],
  'protected: quota': [6, guarded('quota/#', isJson)],
  'protected: 64 KiB': [4, guarded('long/#', isText(longText))],
  'protected: chunked': [2, guarded('chunked/#', isText(chunks.join('')))],
  'protected: 307': [2, guarded('moved/#/307', isJson)],
  'protected: 404': [2, guarded('missing/#', isEndless)],
  'protected: 500, then 200': [2, guarded('flaky/#/500', isJson)],
  'protected: 503, then 200': [2, guarded('flaky/#/503', isJson)],
  'protected: 429, then 200': [1, guarded('limited/#', isJson)],
  'protected: reset, then 200': [2, guarded('reset-early/#', isJson)],
  'protected: reset before the head': [1, guarded('reset-always/#', isEndless)],
  'protected: reset within the body': [2, guarded('reset-midway/#', isEndless)],
  'protected: without end': [2, guarded('drip/#', isEndless)],
  'protected: without an answer': [2, guarded('silent/#', isEndless)],
  'protected: never read, 1 MiB': [1, guarded('large/#', dropped)],
  'protected: upload': [3, guarded('upload/#', isUploaded, { method: 'PUT', json: { marker } })],
  'protected: upload, sent once': [2, guarded('upload/#', isUploaded, { method: 'POST', json: { marker } })],
}

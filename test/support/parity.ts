import { describe, expect, test } from 'vitest'
import { createFetch, fetchStandard } from '../../src/index.ts'
import { type ParityServer, parityServer, type Reply, raw } from './parity-server.ts'

export { type ParityServer, type Reply, raw } from './parity-server.ts'

/** With the one member of init that the declarations of the DOM lack. */
export type Init = RequestInit & { readonly duplex?: 'half' }
export type Fetch = (input: string | URL | Request, init?: Init) => Promise<Response>

/** Something that the global fetch and a steadfetch without policies must both do, and in the same way. */
export interface Case {
  readonly title: string
  /** Default: 200 with the text `content`. */
  readonly reply?: Reply
  /** What was observed, as a plain value. */
  readonly run: (fetch: Fetch, origin: string, server: ParityServer) => Promise<unknown>
}

/** Everything a response tells before its body is read, its type aside. */
export function head(response: Response): Record<string, unknown> {
  const { status, statusText, ok, url, redirected, bodyUsed } = response
  return { status, statusText, ok, url, redirected, bodyUsed, noBody: response.body === null, headers: [...response.headers] }
}

/** The text of a stream, read part by part. */
export async function textOf(stream: ReadableStream<Uint8Array> | null): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of stream ?? []) parts.push(part)
  return Buffer.concat(parts).toString()
}

/** The head and the text, or the failure of either. */
export async function outcome(promise: Promise<Response>): Promise<unknown> {
  try {
    const response = await promise
    return { ...head(response), text: await settled(response.text()) }
  } catch (error) {
    return nameOf(error)
  }
}

/** The value, or what kind of error it fails with. */
export async function settled(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    return nameOf(error)
  }
}

/** The same for a function that may throw. */
export function tried(run: () => unknown): Promise<unknown> {
  return settled((async () => run())())
}

/** What fetch promises about an error: whether it is a TypeError or of another standard kind, and has a cause. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`
  const kind = [TypeError, SyntaxError, RangeError, DOMException].find((known) => error instanceof known)
  const name = kind === DOMException ? `DOMException ${error.name}` : (kind?.name ?? error.constructor.name)
  return `threw ${name} ${error.cause === undefined ? 'without' : 'with'} a cause`
}

/** The outcome, and what the server received, at the end. */
export async function exchange(promise: Promise<Response>, server: ParityServer): Promise<unknown> {
  return { outcome: await outcome(promise), received: server.received }
}

/** The same where the arguments of the call are at fault: whether such an error has a cause tells nothing. */
export async function argued(promise: Promise<Response>, server?: ParityServer): Promise<unknown> {
  const result = await outcome(promise)
  const plain = typeof result === 'string' ? result.replace(/ with(?:out)? a cause$/, '') : result
  return { outcome: plain, received: server?.received ?? [] }
}

/** Cases in which the global fetch of Node.js 22 does not do what that of later versions does. */
export function since24(cases: readonly Case[]): readonly Case[] {
  return Number(process.versions.node.split('.')[0]) >= 24 ? cases : []
}

const limitMs = 5_000
const overdue = `not done within ${limitMs} ms`

/** What each of the two does with the case. */
export async function both(one: Case): Promise<{ readonly platform: unknown; readonly ours: unknown }> {
  const stead = createFetch(fetchStandard)
  const run = async (fetch: Fetch): Promise<unknown> => {
    await using server = await parityServer(one.reply ?? raw('200 OK', ['content-type: text/plain'], 'content'))
    const result = await Promise.race([one.run(fetch, server.origin, server), limit()])
    const text = JSON.stringify({ result }).replaceAll(new URL(server.origin).host, 'origin')
    return JSON.parse(text.replaceAll(new URL(server.other).host, 'other'))
  }
  const platform = await run(globalThis.fetch)
  const ours = await run(stead)
  stead.close().catch(() => {})
  return { platform, ours }
}

/** One test for each case: the two do the same. */
export function parity(name: string, cases: readonly Case[]): void {
  describe(name, () => {
    for (const one of cases) {
      test(one.title, async () => {
        const { platform, ours } = await both(one)
        expect(platform).not.toEqual({})
        expect(platform).not.toEqual({ result: overdue })
        expect(ours).toEqual(platform)
      })
    }
  })
}

function limit(): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve(overdue), limitMs).unref())
}

import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'
import { type ClientOptions, createFetch, retry, type SteadFetch } from '../../src/index.ts'
import { httpServer, type LocalServer } from './server.ts'

/** A retry policy whose waits a test does not feel. */
export const soon = retry({ baseMs: 1, capMs: 5 })

/**
 * A client with short waits before retries, unless the test says otherwise; closed when the test has ended. Tests that
 * run side by side give the `onTestFinished` of their own context.
 */
export function client(options: ClientOptions = {}, atEnd: typeof onTestFinished = onTestFinished): SteadFetch {
  const api = createFetch({ ...options, on: { '5xx': soon, network: soon, timeout: soon, ...options.on } })
  atEnd(() => api.close())
  return api
}

/** What the promise rejects with; an error of its own when it does not. */
export async function caught(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error
  }
  throw new Error(`resolved to ${String(value)} where a rejection was due`)
}

/** One request as a server got it. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly atMs: number
}

/** A server that keeps every request whole, and answers once it has it. */
export async function keepingServer(
  answer: (response: ServerResponse, received: Received, index: number) => void,
): Promise<LocalServer & { readonly received: Received[] }> {
  const received: Received[] = []
  const server = await httpServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    const parts: Buffer[] = []
    try {
      for await (const part of request) parts.push(part as Buffer)
    } catch {
      return
    }
    const kept = { method, path: url, headers, body: Buffer.concat(parts), atMs: performance.now() }
    received.push(kept)
    answer(response, kept, received.length - 1)
  })
  return Object.assign(server, { received })
}

/** Answers with these statuses one after the other, the last for ever. */
export function inTurn(...statuses: number[]): (response: ServerResponse, received: Received, index: number) => void {
  return (response, _received, index) => {
    response.statusCode = statuses[Math.min(index, statuses.length - 1)] as number
    response.end(`answer ${index + 1}`)
  }
}

/** The bytes of a response with this head and body, its length given. */
export function rawResponse(statusLine: string, fields: Record<string, string> = {}, body = ''): string {
  const lines = Object.entries({ 'content-length': String(body.length), ...fields }).map(([name, value]) => `${name}: ${value}`)
  return `HTTP/1.1 ${statusLine}\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}

import type { TransportInit } from '../../src/index.ts'

type Reply = Response | Error | ((target: string, init: TransportInit) => Response | Promise<Response>)

/** One request as the transport got it. */
export interface Sent {
  readonly target: string
  readonly init: TransportInit
  readonly atMs: number
  readonly body: string
}

/** A transport that answers from a script, the last reply for ever, and keeps what was sent. */
export function scripted(
  now: () => number,
  ...replies: Reply[]
): {
  transport: (target: string, init: TransportInit) => Promise<Response>
  sent: Sent[]
} {
  const sent: Sent[] = []
  return {
    sent,
    async transport(target, init) {
      const reply = replies[Math.min(sent.length, replies.length - 1)] as Reply
      const index = sent.length
      sent.push({ target, init, atMs: now(), body: '' })
      if (init.body !== null) {
        const body = await new Response(init.body as BodyInit).text()
        sent[index] = { ...(sent[index] as Sent), body }
      }
      if (reply instanceof Error) throw reply
      return typeof reply === 'function' ? reply(target, init) : reply.clone()
    },
  }
}

/** A response of this status. */
export function reply(status: number, headers: Record<string, string> = {}, body: string | null = null): Response {
  return new Response(body, { status, headers })
}

/** What Node's fetch throws when the connection fails. */
export function fetchFailed(code: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) })
}

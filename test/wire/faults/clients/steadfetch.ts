import { Readable } from 'node:stream'
import { createFetch, retry, type SteadFetch, type SteadInit } from '../../../../src/index.ts'
import type { Ask, OpenClient, Result } from '../fault.ts'

/** Waits that a table need not feel. */
const soon = retry({ baseMs: 1, capMs: 5 })

/** steadfetch with its defaults, but for the waits before retries. */
export const open: OpenClient = (options = {}) => {
  // What somebody did to Object.prototype is no option of the case's.
  const { on, ...more } = { __proto__: null, ...options } as { on?: object }
  const api = createFetch({ ...more, on: { '5xx': soon, network: soon, timeout: soon, ...on } })
  let trusting: SteadFetch | undefined
  return {
    async send(target, ask): Promise<Result> {
      const { limitMs, read = 'text', ca, stream, body: text, ...init } = { __proto__: null, ...ask } as Ask
      if (ca !== undefined) trusting ??= api.extend({ connect: { ca } })
      const send = ca === undefined ? api : (trusting as SteadFetch)
      const body = stream === undefined ? text : Readable.toWeb(Readable.from(stream()))
      const limit = limitMs === undefined ? {} : { timeoutMs: limitMs }
      try {
        const response = await send(target, { ...init, ...limit, body, duplex: 'half' } as SteadInit)
        return { kind: 'response', status: response.status, content: await response[read]() }
      } catch (error) {
        return { kind: 'error', error, status: (Object(error) as { status?: number }).status }
      }
    },
    close: () => api.close(),
  }
}

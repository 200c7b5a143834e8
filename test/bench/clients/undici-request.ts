import { Agent, type Dispatcher, request } from 'undici'
import type { Client, Open } from './client.ts'
import { repeated } from './repeat.ts'
import { StatusError, seenInStatusError } from './status-error.ts'

/**
 * `request` of undici: what all others are compared with. Its agent is named, because the global one belongs to whichever
 * undici was loaded first, and that is the one within Node.js as soon as anything imports node:http.
 */
export const open: Open = (_origin, dispatcher = new Agent()) => requestClient(dispatcher as Dispatcher)

/** A client on `request`. */
export function requestClient(dispatcher: Dispatcher): Client {
  const options = { dispatcher }
  const get = async (url: string) => checked(await request(url, options))
  return {
    getJson: async (url) => (await get(url)).body.json(),
    postJson: async (url, value) => {
      const headers = { 'content-type': 'application/json' }
      const answer = await request(url, { ...options, method: 'POST', headers, body: JSON.stringify(value) })
      return (await checked(answer)).body.json()
    },
    getText: async (url) => (await get(url)).body.text(),
    failing: get,
    seen: seenInStatusError,
    flaky: async (url) => {
      const answer = await repeated(
        () => request(url, options),
        ({ statusCode }) => statusCode,
        ({ body }) => body.dump(),
      )
      return (await checked(answer)).body.json()
    },
  }
}

async function checked(answer: Dispatcher.ResponseData): Promise<Dispatcher.ResponseData> {
  const { statusCode, headers, body } = answer
  if (statusCode < 400) return answer
  throw new StatusError(statusCode, headers, await body.text())
}

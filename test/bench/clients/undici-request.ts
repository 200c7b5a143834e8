import { type Dispatcher, request } from 'undici'
import type { Client, Open } from './client.ts'
import { repeated } from './repeat.ts'
import { StatusError, seenInStatusError } from './status-error.ts'

/** `request` of undici: what all others are compared with. */
export const open: Open = (_origin, dispatcher) => requestClient(dispatcher as Dispatcher | undefined)

/** A client on `request`, through a dispatcher of one's own or the global one. */
export function requestClient(dispatcher?: Dispatcher): Client {
  const options = dispatcher === undefined ? {} : { dispatcher }
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

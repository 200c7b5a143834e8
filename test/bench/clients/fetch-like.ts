import type { Client } from './client.ts'
import { repeated } from './repeat.ts'
import { StatusError, seenInStatusError } from './status-error.ts'

/** What is used of a Response; that of undici and the global one are different types. */
interface ResponseLike {
  readonly ok: boolean
  readonly status: number
  readonly headers: unknown
  json(): Promise<unknown>
  text(): Promise<string>
}

interface Init {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body: string
}

/** Any function of fetch's shape. */
export type FetchLike = (url: string, init?: Init) => Promise<ResponseLike>

/** Makes a Response of a failed status an error that carries its content. */
export async function checked(response: ResponseLike): Promise<ResponseLike> {
  if (response.ok) return response
  throw new StatusError(response.status, response.headers, await response.text())
}

/** A client on a fetch, with the lines around it that its user has to write. */
export function fetchLike(fetch: FetchLike): Client {
  const get = async (url: string) => checked(await fetch(url))
  return {
    getJson: async (url) => (await get(url)).json(),
    postJson: async (url, value) => {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(value) })
      return (await checked(response)).json()
    },
    getText: async (url) => (await get(url)).text(),
    failing: get,
    seen: seenInStatusError,
    flaky: async (url) => {
      const response = await repeated(
        () => fetch(url),
        ({ status }) => status,
        (refused) => refused.text(),
      )
      return (await checked(response)).json()
    },
  }
}

/** A client on a fetch whose retries are a function around each attempt, which throws what is to be repeated. */
export function retriedFetch(around: Around, aroundFlaky: Around): Client {
  const plain = fetchLike(fetch)
  return {
    ...plain,
    getJson: (url) => around(() => plain.getJson(url)),
    postJson: (url, value) => around(() => plain.postJson(url, value)),
    getText: (url) => around(() => plain.getText(url)),
    failing: (url) => around(() => plain.failing(url)),
    flaky: (url) => aroundFlaky(() => plain.getJson(url)),
  }
}

/** Calls `attempt` until it succeeds, or is not to be repeated. */
export type Around = <Value>(attempt: () => Promise<Value>) => Promise<Value>

/** Statuses below 500 are final. */
export function isFinal(error: unknown): boolean {
  return error instanceof StatusError && error.status < 500
}

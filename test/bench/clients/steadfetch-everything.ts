import type { ClientOptions, SteadInit } from 'steadfetch'
import { createFetch, fail, fallback, pause, retry } from './built.ts'
import type { Open } from './client.ts'
import { seenInHttpError } from './steadfetch.ts'

/** Every option a client can have, beside those that inject its surroundings. */
const options: ClientOptions = {
  headers: { 'user-agent': 'bench/1.0', 'x-tenant': 'acme', authorization: 'Bearer token' },
  on: {
    404: (outcome) => (outcome.attempts > 5 ? retry() : fail()),
    409: retry({ maxAttempts: 5 }),
    429: pause({ maxWaitMs: 20_000 }),
    '5xx': fallback(() => Response.json({}), { after: retry({ baseMs: 0, capMs: 5_000 }) }),
    network: retry(),
    timeout: retry({ maxAttempts: 2 }),
  },
  maxAttempts: 3,
  timeoutMs: 30_000,
  attemptTimeoutMs: 15_000,
  idleTimeoutMs: 20_000,
  connectTimeoutMs: 5_000,
  onInformation: () => {},
}

/** steadfetch with everything on, on the client and on every call. */
export const open: Open = (origin, dispatcher) => {
  const api = createFetch({ ...options, baseUrl: origin, ...(dispatcher === undefined ? {} : { dispatcher }) })
  const call = (url: string, init?: SteadInit) =>
    // A signal for each call, as a server has one for each request it answers.
    api(url.slice(origin.length + 1), { ...init, signal: new AbortController().signal, timeoutMs: 25_000 })
  return {
    getJson: async (url) => (await call(url)).json(),
    postJson: async (url, value) => (await call(url, { method: 'POST', json: value })).json(),
    getText: async (url) => (await call(url)).text(),
    failing: (url) => call(url),
    seen: seenInHttpError,
    flaky: async (url) => (await call(url)).json(),
  }
}

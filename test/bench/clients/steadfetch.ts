import type { SteadFetch } from 'steadfetch'
import { createFetch, isHttpError, retry } from './built.ts'
import type { Client, Failure, Open } from './client.ts'

/** steadfetch as it is installed: every default policy on. */
export const open: Open = (_origin, dispatcher) => {
  return openWith(createFetch(dispatcher === undefined ? {} : { dispatcher }))
}

/** A client of the benchmark around a fetch of ours. */
export function openWith(api: SteadFetch): Client {
  const impatient = api.extend({ on: { 503: retry({ baseMs: 0 }) } })
  return {
    getJson: async (url) => (await api(url)).json(),
    postJson: async (url, value) => (await api(url, { method: 'POST', json: value })).json(),
    getText: async (url) => (await api(url)).text(),
    failing: (url) => api(url),
    seen: seenInHttpError,
    flaky: async (url) => (await impatient(url)).json(),
  }
}

/** What an HttpError tells. */
export function seenInHttpError(error: unknown): Failure {
  if (!isHttpError(error)) throw error
  return { status: error.status, content: error.body }
}

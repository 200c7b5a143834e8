import { Agent } from 'node:http'
import got, { HTTPError } from 'got'
import type { Open } from '../client.ts'
import { maxAttempts } from '../repeat.ts'

/** got as it is installed: three attempts, failed statuses are errors. */
export const open: Open = () => {
  // The global agent closes all but 256 idle connections; the pools of undici, and so all others here, keep every one.
  const client = got.extend({ agent: { http: new Agent({ keepAlive: true, maxFreeSockets: 1_024 }) } })
  const impatient = client.extend({
    retry: { limit: maxAttempts - 1, calculateDelay: ({ computedValue }) => Math.min(computedValue, 1) },
  })
  return {
    getJson: (url) => client(url).json(),
    postJson: (url, value) => client.post(url, { json: value }).json(),
    getText: (url) => client(url).text(),
    failing: async (url) => client(url),
    seen: (error) => {
      if (!(error instanceof HTTPError)) throw error
      return { status: error.response.statusCode, content: error.response.body }
    },
    flaky: (url) => impatient(url).json(),
  }
}

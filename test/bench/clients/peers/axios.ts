import { Agent } from 'node:http'
import axios, { isAxiosError } from 'axios'
import axiosRetry from 'axios-retry'
import type { Open } from '../client.ts'
import { maxAttempts } from '../repeat.ts'

/** axios with axios-retry, both as they are installed: retries have no delay, failed statuses are errors. */
export const open: Open = () => {
  // As for got: the global agent closes all but 256 idle connections.
  const httpAgent = new Agent({ keepAlive: true, maxFreeSockets: 1_024 })
  const client = axios.create({ httpAgent })
  axiosRetry(client, { retries: maxAttempts - 1 })
  return {
    getJson: async (url) => (await client.get<unknown>(url)).data,
    postJson: async (url, value) => (await client.post<unknown>(url, value)).data,
    getText: async (url) => (await client.get<string>(url, { responseType: 'text' })).data,
    failing: (url) => client.get(url),
    seen: (error) => {
      if (!isAxiosError(error) || error.response === undefined) throw error
      return { status: error.response.status, content: error.response.data }
    },
    flaky: async (url) => (await client.get<unknown>(url)).data,
  }
}

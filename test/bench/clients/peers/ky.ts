import ky, { HTTPError } from 'ky'
import type { Open } from '../client.ts'
import { maxAttempts } from '../repeat.ts'

/** ky as it is installed: three attempts, 10 s each, failed statuses are errors. */
export const open: Open = () => {
  const impatient = ky.extend({ retry: { limit: maxAttempts - 1, delay: () => 0 } })
  return {
    getJson: (url) => ky(url).json(),
    postJson: (url, value) => ky.post(url, { json: value }).json(),
    getText: (url) => ky(url).text(),
    failing: async (url) => ky(url),
    seen: (error) => {
      if (!(error instanceof HTTPError)) throw error
      return { status: error.response.status, content: error.data }
    },
    flaky: (url) => impatient(url).json(),
  }
}

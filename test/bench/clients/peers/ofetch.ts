import { FetchError, ofetch } from 'ofetch'
import type { Open } from '../client.ts'
import { maxAttempts } from '../repeat.ts'

/** ofetch as it is installed: two attempts without a delay, failed statuses are errors. */
export const open: Open = () => ({
  getJson: (url) => ofetch(url),
  postJson: (url, value) => ofetch(url, { method: 'POST', body: value }),
  getText: (url) => ofetch(url, { responseType: 'text' }),
  failing: (url) => ofetch(url),
  seen: (error) => {
    if (!(error instanceof FetchError)) throw error
    return { status: error.status ?? 0, content: error.data }
  },
  flaky: (url) => ofetch(url, { retry: maxAttempts - 1 }),
})

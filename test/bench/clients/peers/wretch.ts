import wretch, { type WretchError } from 'wretch'
import { retry } from 'wretch/middlewares'
import type { Open } from '../client.ts'
import { maxAttempts } from '../repeat.ts'

/** wretch as it is installed: failed statuses are errors, retries are a middleware. */
export const open: Open = () => {
  const impatient = wretch().middlewares([retry({ delayTimer: 0, maxAttempts: maxAttempts - 1 })])
  return {
    getJson: (url) => wretch(url).get().json(),
    postJson: (url, value) => wretch(url).post(value).json(),
    getText: (url) => wretch(url).get().text(),
    failing: (url) => wretch(url).get().res(),
    seen: (error) => ({ status: (error as WretchError).status, content: (error as WretchError).message }),
    flaky: (url) => impatient.url(url).get().json(),
  }
}

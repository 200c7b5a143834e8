import { Agent, type Dispatcher } from 'undici'
import type { DispatchOnly, Open } from './client.ts'
import { repeated } from './repeat.ts'
import { StatusError, seenInStatusError } from './status-error.ts'

interface Answer {
  readonly status: number
  readonly headers: unknown
  readonly content: string
}

/** The least a handler can do: keep the content and tell its end. */
class Collector implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (error: Error) => void
  readonly #chunks: Buffer[] = []
  #status = 0
  #headers: unknown

  constructor(resolve: (answer: Answer) => void, reject: (error: Error) => void) {
    this.#resolve = resolve
    this.#reject = reject
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: unknown): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const [only] = this.#chunks
    const content = this.#chunks.length === 1 ? (only as Buffer) : Buffer.concat(this.#chunks)
    this.#resolve({ status: this.#status, headers: this.#headers, content: content.toString() })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error)
  }
}

/** `dispatch` of an undici Agent alone: nothing on undici can cost less, and nobody has to write more. */
export const open: Open = (origin, dispatcher: DispatchOnly = new Agent()) => {
  const send = (options: Omit<Dispatcher.DispatchOptions, 'origin'>): Promise<Answer> =>
    new Promise((resolve, reject) => {
      dispatcher.dispatch({ origin, ...options }, new Collector(resolve, reject))
    })
  const fetched = (url: string) => send({ path: url.slice(origin.length), method: 'GET' })
  const get = async (url: string) => checked(await fetched(url)).content
  return {
    getJson: async (url) => JSON.parse(await get(url)),
    postJson: async (url, value) => {
      const headers = { 'content-type': 'application/json' }
      const answer = await send({ path: url.slice(origin.length), method: 'POST', headers, body: JSON.stringify(value) })
      return JSON.parse(checked(answer).content)
    },
    getText: get,
    failing: get,
    seen: seenInStatusError,
    flaky: async (url) => {
      const answer = await repeated(
        () => fetched(url),
        ({ status }) => status,
        async () => {},
      )
      return JSON.parse(checked(answer).content)
    },
  }
}

function checked(answer: Answer): Answer {
  if (answer.status < 400) return answer
  throw new StatusError(answer.status, answer.headers, answer.content)
}

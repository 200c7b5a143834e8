import type { Dispatcher } from 'undici'

/** What every client is asked to do. Each does it as its documentation tells its users to. */
export interface Client {
  /** GET, parsed as JSON. */
  getJson(url: string): Promise<unknown>
  /** POST of a value as JSON; the answer parsed as JSON. */
  postJson(url: string, value: object): Promise<unknown>
  /** GET, read whole as text. */
  getText(url: string): Promise<string>
  /** GET of a 404: rejects with an Error that carries the status and the content. */
  failing(url: string): Promise<unknown>
  /** The status and the content that the Error of {@link failing} carries. */
  seen(error: unknown): Failure
  /** GET of JSON that may be answered with a 503 first, repeated without a delay. */
  flaky(url: string): Promise<unknown>
}

/** What an Error must tell about a failed status: the content as text, or parsed where the client does that. */
export interface Failure {
  readonly status: number
  readonly content: unknown
}

/** What a stub must have to stand in for an undici dispatcher. */
export type DispatchOnly = Pick<Dispatcher, 'dispatch'>

/** Makes the client; those that stand directly on an undici dispatcher take another in its place. */
export type Open = (origin: string, dispatcher?: DispatchOnly) => Client

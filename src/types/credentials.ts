import type { FieldsInit } from './call-options.ts'
import type { RequestFacts } from './trace.ts'

/** What an origin or a proxy asks credentials for, and in which scheme, RFC 9110 §11.3. */
export interface Challenge {
  /** The authentication scheme in lower case, such as `'bearer'`. */
  readonly scheme: string
  /** What stands in the place of parameters, as with `Negotiate`. */
  readonly token68?: string
  /** The parameters by their names in lower case, such as `realm`. */
  readonly params: Readonly<Record<string, string>>
}

/** What credentials are asked for. */
export interface RefreshInput {
  /** The challenges of the answer that refused the request; empty when credentials are asked for ahead. */
  readonly challenges: readonly Challenge[]
  /** The first of the requests that wait for them. */
  readonly request: RequestFacts
  /** The answer that refused it, its content in memory, 64 KiB at most; absent when credentials are asked for ahead. */
  readonly response?: Response
  /** The fields in use so far; absent when there are none. */
  readonly previous?: Readonly<Record<string, string>>
}

/** Gets credentials: the fields to send to the origin, or nothing when there are none to be had. */
export type CredentialsSource = (input: RefreshInput) => FieldsInit | null | undefined | Promise<FieldsInit | null | undefined>

/** Options of {@link refresh}. */
export interface RefreshOptions {
  /** Whether credentials are asked for before the first request, not only once an answer demands them. Default false. */
  readonly eager?: boolean
  /** Milliseconds after which credentials are asked for anew before a request is sent with them. Default: until they are refused. */
  readonly maxAgeMs?: number
}

/** Ask for new credentials, then send the request again with them, once. */
export interface RefreshPolicy extends RefreshOptions {
  readonly kind: 'refresh'
  readonly source: CredentialsSource
}

/** Where cookies are kept between calls, RFC 6265 §5.3; the CookieJar of tough-cookie is one. */
export interface CookieJar {
  /** The cookies to send to a URL, as the Cookie field has them; empty for none. */
  getCookieString(url: string): string | Promise<string>
  /** Takes one Set-Cookie field of a response of that URL. What it throws is not heeded. */
  setCookie(cookie: string, url: string, options: { readonly ignoreError: boolean }): unknown
}

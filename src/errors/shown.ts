import type { CallFacts } from '../types/exchange.ts'
import type { AttemptTrace, RedirectTrace } from '../types/trace.ts'
import { redactContent } from './redact-content.ts'
import { redactFields } from './redact-fields.ts'

/** What errors show beside the rest with `details: 'development'`; every secret in it is masked. */
interface ShownDetails {
  readonly requestFields: Readonly<Record<string, string>>
  readonly responseFields?: Readonly<Record<string, string>>
  /** The start of the content of the response, at most 2 KiB. */
  readonly content?: string
  readonly attempts: readonly AttemptTrace[]
  readonly redirects: readonly RedirectTrace[]
}

/** What makes an error one of a response. */
interface OfResponse {
  readonly headers: Headers
  readonly body: string
}

type Inspect = (value: unknown, options: object) => string
type InspectOptions = object & { stylize(text: string, style: string): string }

const inspectCustom = Symbol.for('nodejs.util.inspect.custom')

/** Says how the errors of a class are shown: `factsOf` gives the call that one of them tells of. */
export function markShown(prototype: Error, factsOf: (error: Error) => CallFacts | undefined): void {
  Object.defineProperty(prototype, 'toJSON', {
    value: function toJSON(this: Error): object {
      // JSON.stringify leaves the name and the message of an Error out; a log needs them.
      const { name, message } = this
      return Object.assign({ name, message }, this, detailsMember(this, factsOf))
    },
    configurable: true,
    writable: true,
  })
  Object.defineProperty(prototype, inspectCustom, {
    value: function shown(this: Error, depth: number | null, options: InspectOptions, inspect: Inspect): string {
      if (depth !== null && depth < 0) return options.stylize(`[${this.name}]`, 'special')
      return inspect(plainError(this, detailsMember(this, factsOf)), { ...options, depth })
    },
    configurable: true,
    writable: true,
  })
}

/** A plain Error that looks the same: with `showHidden` and `getters`, inspect would read the accessors of ours. */
function plainError(error: Error, details: object): Error {
  const shown = new Error(error.message)
  // Its constructor is what inspect names it after, if it is one of its instances.
  const Kind = Object.defineProperty(() => {}, 'name', { value: error.constructor.name })
  const prototype = Object.create(Error.prototype, { constructor: { value: Kind } }) as object
  Object.setPrototypeOf(shown, prototype)
  Object.defineProperty(Kind, 'prototype', { value: prototype })
  const hidden = ['name', 'stack', 'cause'].filter((key) => key !== 'cause' || Object.hasOwn(error, 'cause'))
  for (const key of hidden)
    Object.defineProperty(shown, key, { value: Reflect.get(error, key), configurable: true, writable: true, enumerable: false })
  return Object.assign(shown, error, details)
}

function detailsMember(error: Error, factsOf: (error: Error) => CallFacts | undefined): { details?: ShownDetails } {
  const facts = factsOf(error)
  return facts?.exchange.options.details === 'development' ? { details: shownDetails(error, facts) } : {}
}

function shownDetails(error: Error, { exchange }: CallFacts): ShownDetails {
  const { request, redirects, options } = exchange
  const attempts: AttemptTrace[] = []
  for (let attempt = exchange.latest; attempt !== undefined; attempt = attempt.previous) attempts.unshift(attempt.trace())
  return {
    requestFields: { ...redactFields(pairs(request.fields), options.redact) },
    ...(isOfResponse(error) ? ofResponse(error, options.redact) : {}),
    attempts,
    redirects: redirects.hops,
  }
}

function isOfResponse(error: Error): error is Error & OfResponse {
  return 'body' in error && 'headers' in error
}

function ofResponse({ headers, body }: OfResponse, own: Parameters<typeof redactFields>[1]) {
  const content = redactContent(body, headers.get('content-type'), own)
  return { responseFields: { ...redactFields(headers, own) }, ...(content === '' ? {} : { content }) }
}

function* pairs(fields: readonly string[]): Generator<readonly [string, string]> {
  for (let index = 0; index < fields.length; index += 2) yield [fields[index] as string, fields[index + 1] as string]
}

import { redactUrl } from '../errors/redact.ts'
import { fieldsWith } from '../http/fields.ts'
import { exchangeOf } from '../traces.ts'
import type { HopRequest } from '../types/exchange.ts'
import type { HarPair } from '../types/har.ts'
import type { OwnNames } from '../types/redact.ts'
import { shownFields } from './masking.ts'

/** A request as a command can tell it. */
interface Told {
  readonly method: string
  readonly url: string
  readonly fields: readonly (readonly [string, string])[]
  /** The content; `null` where there was some that is not kept. */
  readonly content: string | null | undefined
  readonly own?: OwnNames | undefined
}

/** What curl writes by itself. */
const ownFields = new Set(['content-length', 'transfer-encoding', 'connection', 'accept-encoding', 'expect'])

/**
 * The latest request of a call as a command for curl, by the error or the response of the call, the entry of an archive of
 * {@link recordHar}, a trace, or anything else with a `method` and a `url`; undefined for what tells of no request. Secrets are
 * masked, every word is quoted for a POSIX shell. Content is not kept by errors: the command reads it from standard input.
 */
export function toCurl(result: unknown): string | undefined {
  const told = requestOf(result)
  if (told === undefined) return undefined
  const { method, url, fields, content, own } = told
  const target = redactUrl(url, own)
  const shown = URL.canParse(url)
    ? shownFields(fields, url, { own }).filter(({ name, value }) => isWritten(name, value, url))
    : []
  const words = [
    'curl',
    quoted(target),
    ...(/[[\]{}]/.test(target) ? ['--globoff'] : []),
    ...methodWords(method, content !== undefined),
    // An empty value takes a semicolon, or curl would take the field away.
    ...shown.flatMap(({ name, value }) => ['-H', quoted(value === '' ? `${name};` : `${name}: ${value}`)]),
    '--compressed',
    ...(content === undefined ? [] : content === null ? ['--data-binary', '@-'] : ['--data-raw', quoted(content)]),
  ]
  return words.join(' ')
}

function requestOf(result: unknown): Told | undefined {
  const exchange = exchangeOf(result)
  if (exchange !== undefined) return { ...ofHop(exchange.request), own: exchange.options.redact }
  const { request, attempts } = Object(result) as { request?: unknown; attempts?: unknown }
  const facts = Object(request ?? (Array.isArray(attempts) ? attempts.at(-1) : result)) as Partial<Facts>
  const { method, url, headers, postData } = facts
  if (typeof method !== 'string' || typeof url !== 'string') return undefined
  const fields = Array.isArray(headers) ? headers.map(({ name, value }: HarPair) => [name, value] as const) : []
  return { method, url, fields, content: postData?.text }
}

/** A part of an entry of an archive, of a trace, of an event, of an error of another copy of steadfetch. */
interface Facts {
  readonly method: unknown
  readonly url: unknown
  readonly headers: unknown
  readonly postData: { readonly text: string }
}

function ofHop({ method, href, fields, content, forgotten }: HopRequest): Told {
  const type = forgotten ?? null
  const sent = content ?? (forgotten === undefined ? null : { type })
  const flat = fieldsWith(fields, sent)
  const pairs = Array.from({ length: flat.length / 2 }, (_none, index) => flat.slice(2 * index, 2 * index + 2))
  return { method, url: href, fields: pairs as unknown as Told['fields'], content: sent === null ? undefined : null }
}

function isWritten(name: string, value: string, url: string): boolean {
  return !name.startsWith(':') && !ownFields.has(name) && (name !== 'host' || value !== new URL(url).host)
}

/** curl waits for the content that a HEAD of `--request` has not. */
function methodWords(method: string, hasContent: boolean): string[] {
  if (method === 'HEAD') return ['--head']
  return method === (hasContent ? 'POST' : 'GET') ? [] : ['-X', quoted(method)]
}

/** A word of a POSIX shell in single quotes, in which nothing has a meaning but their end; no word can hold a NUL. */
function quoted(text: string): string {
  return `'${text.replaceAll('\0', '').replaceAll("'", "'\\''")}'`
}

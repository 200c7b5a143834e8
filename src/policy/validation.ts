import { fieldOf, withField } from '../http/fields.ts'
import { parseHttpDate } from '../http/http-date.ts'
import { wireField } from '../http/received.ts'
import type { StoredResponse } from '../types/cache.ts'
import type { Fields } from '../types/exchange.ts'
import type { Dated } from './freshness.ts'

/** The fields of a request that asks whether a stored response is still right, RFC 9111 §4.3.1; the same if it cannot. */
export function conditional(fields: Fields, stored: StoredResponse): Fields {
  const etag = wireField(stored.headers, 'etag')
  const modified = wireField(stored.headers, 'last-modified')
  const tagged = etag === null ? fields : withField(fields, 'if-none-match', etag)
  return modified === null ? tagged : withField(tagged, 'if-modified-since', modified)
}

/** Whether a 304 is about the stored response, RFC 9111 §4.3.4; one without validators answers what was asked. */
export function validates(response: Dated, { headers }: StoredResponse): boolean {
  const etag = response.field('etag')
  if (etag !== null) return weak(etag) === weak(wireField(headers, 'etag') ?? '')
  const modified = response.field('last-modified')
  return modified === null || modified === wireField(headers, 'last-modified')
}

/** Whether the answer to a HEAD request is about the stored response, RFC 9111 §4.3.5. */
export function describes(response: Dated, { headers }: StoredResponse): boolean {
  const same = (name: string, stored = name): boolean => {
    const value = response.field(name)
    return value === null || value === wireField(headers, stored)
  }
  return same('etag') && same('last-modified') && same('content-length', 'steadfetch-content-length')
}

/** Whether a validation of the caller finds nothing new in the stored response: RFC 9110 §13.1.2 counts before §13.1.3. */
export function isUnchanged(fields: Fields, { headers }: StoredResponse, nowMs: number): boolean {
  const tags = fieldOf(fields, 'if-none-match')
  const etag = wireField(headers, 'etag')
  if (tags !== undefined) return tags.trim() === '*' || (etag !== null && tagsOf(tags).some((tag) => weak(tag) === weak(etag)))
  const since = dated(fieldOf(fields, 'if-modified-since'), nowMs)
  const modified = dated(wireField(headers, 'last-modified') ?? wireField(headers, 'date'), nowMs)
  return since !== null && modified !== null && modified <= since
}

function tagsOf(list: string): readonly string[] {
  return list.match(/(?:W\/)?"[^"]*"/g) ?? []
}

function dated(text: string | null | undefined, nowMs: number): number | null {
  return text === null || text === undefined ? null : parseHttpDate(text, nowMs)
}

/** The opaque part of an entity tag, RFC 9110 §8.8.3.2. */
function weak(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag
}

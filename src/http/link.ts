import type { Link } from '../types/link.ts'

/** RFC 8288 §3; without a ">" or with a "<" inside it is no target. */
const target = /[\t ]*<([^<>]*)>/y
/** One parameter, RFC 8288 Appendix B.3: a name, and a token or a quoted string. A parameter may be empty. */
const param = /[\t ]*;[\t ]*(?:([^\t "=;,<>]+)[\t ]*(?:=[\t ]*(?:"((?:[^"\\]|\\.)*)"|([^;,"]*)))?)?/y
/** Where the next link begins; commas in targets and quoted strings do not count. */
const toNext = /(?:[^,"<]|"(?:[^"\\]|\\.)*"?|<[^>,]*>?)*(?:,|$)/y
/** A value with its charset and language, RFC 8187 §3.2.1. */
const extended = /^(utf-8|iso-8859-1)'[^']*'(.*)$/i

/** The links of a Link field, RFC 8288 §3, resolved against `base`; what is malformed is skipped. */
export function parseLinks(field: string | null, base: string): readonly Link[] {
  const links: Link[] = []
  if (field === null) return links
  for (let at = 0; at < field.length; ) {
    const { link, end } = linkAt(field, at, base)
    toNext.lastIndex = end
    const rest = toNext.exec(field)?.[0] ?? ''
    // Between the last parameter and the comma there can be nothing but white space.
    if (link !== undefined && /^[\t ]*,?$/.test(rest)) links.push(link)
    at = end + Math.max(1, rest.length)
  }
  return links
}

/** The links of a response, such as those to its next page (RFC 8288 §3), resolved against its URL. */
export function linksOf(response: Response): readonly Link[] {
  return parseLinks(response.headers.get('link'), response.url)
}

function linkAt(field: string, at: number, base: string): { link: Link | undefined; end: number } {
  target.lastIndex = at
  const found = target.exec(field)
  if (found === null) return { link: undefined, end: at }
  const params = Object.create(null) as Record<string, string>
  let end = target.lastIndex
  for (;;) {
    param.lastIndex = end
    const [whole, name, quoted, token] = param.exec(field) ?? []
    if (whole === undefined) break
    end += whole.length
    if (name !== undefined) params[name.toLowerCase()] ??= quoted?.replace(/\\(.)/g, '$1') ?? token?.trimEnd() ?? ''
  }
  return { link: linkOf(found[1] as string, params, base), end }
}

function linkOf(reference: string, { rel, ...given }: Record<string, string>, base: string): Link | undefined {
  const url = URL.parse(reference, base === '' ? undefined : base)
  const types =
    rel
      ?.toLowerCase()
      .split(/[\t ]+/)
      .filter((type) => type !== '') ?? []
  if (url === null || types.length === 0) return undefined
  const params = decoded(given)
  return { target: url.href, rel: types, as: params.as?.toLowerCase(), params }
}

/** Parameters whose names end with an asterisk take the place of those without, RFC 8288 §3.4.1. */
function decoded(given: Readonly<Record<string, string>>): Record<string, string> {
  const params = Object.assign(Object.create(null) as Record<string, string>, given)
  for (const name of Object.keys(given)) {
    if (!name.endsWith('*')) continue
    delete params[name]
    const value = extValue(given[name] as string)
    if (value !== undefined) params[name.slice(0, -1)] = value
  }
  return params
}

/** An ext-value, RFC 8187 §3.2; undefined for one that cannot be decoded. */
function extValue(text: string): string | undefined {
  const [, charset, coded] = extended.exec(text) ?? []
  if (charset === undefined || coded === undefined) return undefined
  const bytes = Buffer.from(
    coded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** The members of a list field, RFC 9110 §5.6.1; undefined when the response does not have it. */
export function listOf(headers: Headers, name: string): readonly string[] | undefined {
  const value = headers.get(name)
  return value
    ?.split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '')
}

const link = /<([^>]*)>((?:[^",<]|"(?:[^"\\]|\\.)*")*)/g
const parameter = /;\s*([^\s=;"]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?/g

/** The target of the first link of this relation type, RFC 8288 §3; undefined when there is none. */
export function linkOf(headers: Headers, relation: string): string | undefined {
  for (const [, target, parameters = ''] of (headers.get('link') ?? '').matchAll(link)) {
    const rel = [...parameters.matchAll(parameter)].find(([, name]) => name?.toLowerCase() === 'rel')
    if ((rel?.[2] ?? rel?.[3] ?? '').toLowerCase().split(/\s+/).includes(relation)) return target
  }
  return undefined
}

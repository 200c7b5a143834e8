import { fieldName } from '../http/fields.ts'
import { bare, checkKeys, given, invalidOption } from '../policy/checks.ts'
import type { OwnNames, RedactOptions } from '../types/redact.ts'

/**
 * The names of secrets that a client or a call adds to those of what it inherits from; none is ever taken away.
 *
 * @throws TypeError naming the option, for what is no list of names.
 */
export function resolveRedact(
  owner: string,
  asked: RedactOptions | undefined,
  inherited: OwnNames | undefined,
): OwnNames | undefined {
  if (asked === undefined) return inherited
  if (typeof asked !== 'object' || asked === null || Array.isArray(asked))
    throw invalidOption(owner, 'redact', 'an object with fields or parameters', asked)
  checkKeys(`${owner}: redact`, asked, ['fields', 'parameters'])
  const { fields, parameters } = bare<RedactOptions>(given(asked))
  return {
    fields: names(owner, 'fields', fields, inherited, (name) => fieldName.test(name)),
    parameters: names(owner, 'parameters', parameters, inherited, (name) => name !== ''),
  }
}

function names(
  owner: string,
  list: keyof OwnNames,
  asked: unknown,
  inherited: OwnNames | undefined,
  fits: (name: string) => boolean,
): ReadonlySet<string> {
  const kept = inherited?.[list] ?? []
  if (asked === undefined) return new Set(kept)
  if (!Array.isArray(asked)) throw invalidOption(owner, `redact.${list}`, 'a list of names', asked)
  const own = asked.map((name: unknown) => {
    if (typeof name !== 'string' || !fits(name)) throw invalidOption(owner, `every one of redact.${list}`, 'a name', name)
    return name.toLowerCase()
  })
  return new Set([...kept, ...own])
}

/** Who works on a service sees more than who reads its logs; it is read once, when a client is made. */
export function detailsByEnvironment(): 'production' | 'development' {
  return process.env.NODE_ENV === 'development' ? 'development' : 'production'
}

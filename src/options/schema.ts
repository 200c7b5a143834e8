import { bare, invalidOption } from '../policy/checks.ts'
import { isStatus } from '../status/table.ts'
import type { StandardSchema } from '../types/schema.ts'

const classes = ['1xx', '2xx', '3xx', '4xx', '5xx']

/**
 * The schemas of a call by status or class, those that are not named as in the parent; a bare schema is that of all 2xx.
 *
 * @throws TypeError for what is no schema, and for a key that is no status or class.
 */
export function resolveSchema(
  owner: string,
  asked: unknown,
  inherited: Readonly<Record<string, StandardSchema>> | undefined,
): Readonly<Record<string, StandardSchema>> | undefined {
  if (asked === undefined) return inherited
  if (isSchema(asked)) return bare({ ...inherited, '2xx': asked })
  if (typeof asked !== 'object' || asked === null)
    throw invalidOption(owner, 'schema', 'a Standard Schema, or some by status', asked)
  for (const [key, schema] of Object.entries(asked)) {
    if (!classes.includes(key) && !isStatus(Number(key)))
      throw invalidOption(owner, 'every key of schema', "a status code from 100 to 999 or a class such as '4xx'", key)
    if (!isSchema(schema)) throw invalidOption(owner, `schema[${JSON.stringify(key)}]`, 'a Standard Schema', schema)
  }
  return bare({ ...inherited, ...(asked as Record<string, StandardSchema>) })
}

/** Schemas of some libraries are functions. */
function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const standard = (value as Partial<StandardSchema>)['~standard']
  return typeof standard?.validate === 'function'
}

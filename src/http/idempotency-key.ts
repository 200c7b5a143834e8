import { randomUUID } from 'node:crypto'
import type { Fields } from '../types/exchange.ts'
import { mergeFields } from './fields.ts'
import { isIdempotent } from './methods.ts'

/** What an Idempotency-Key is made by: `true` makes a UUID. */
export type KeyMaker = boolean | (() => string)

/**
 * The fields with an Idempotency-Key, where the method needs one and they have none. A UUID is sent as a string of RFC 9651
 * §3.3.3, which the draft of the field demands; what a function makes is sent as it is.
 *
 * @throws TypeError when the function gives something other than a field value; the message does not show it.
 */
export function withIdempotencyKey(fields: Fields, method: string, make: KeyMaker): Fields {
  if (make === false || isIdempotent(method, fields)) return fields
  // Not from the source of chance of the client: two clients whose chance is the same must not take each other's answers.
  const key: unknown = make === true ? `"${randomUUID()}"` : make()
  if (typeof key !== 'string' || key.trim() === '')
    throw new TypeError('idempotencyKey: the function must return a string that is not empty')
  return mergeFields(fields, [['idempotency-key', key]])
}

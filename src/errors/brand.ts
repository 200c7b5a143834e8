/** The mark every error of every copy of steadfetch carries. */
export const brand: unique symbol = Symbol.for('steadfetch.error')

/** The branches of the error tree. */
export type Branch = 'http' | 'network' | 'redirect' | 'timeout' | 'refused' | 'body'

/** Which branch of the error tree `value` belongs to; undefined when it is no error of ours. */
export function branchOf(value: unknown): Branch | undefined {
  return value instanceof Error ? (value as { [brand]?: Branch })[brand] : undefined
}

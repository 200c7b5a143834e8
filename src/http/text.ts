/**
 * The text that the caller gives, or what he gives is made of: fetch takes anything that has one.
 *
 * @throws TypeError naming it, for what has none; the value is not shown.
 */
export function textOf(name: string, value: unknown): string {
  try {
    return `${value}`
  } catch {
    throw new TypeError(`${name} must be a string, got ${typeof value}`)
  }
}

import { shownValue } from '../errors/redact-text.ts'

/** A copy without a prototype: what is read from it later is its own, whatever was done to Object.prototype. */
export function bare<Value extends object>(value: Value): Value {
  return Object.assign(Object.create(null) as Value, value)
}

/** Without what is undefined: that means the default, or the parent's. */
export function given<Value extends object>(options: Value): Partial<Value> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<Value>
}

/** What a number may be, beside being one. */
export interface NumberRule {
  readonly min: number
  readonly max?: number
  readonly integer?: boolean
  readonly infinite?: boolean
}

/** The error for an invalid option: names the option and shows the value, unless that may be a secret in the wrong place. */
export function invalidOption(owner: string, name: string, demand: string, value: unknown): TypeError {
  return new TypeError(`${owner}: ${name} must be ${demand}, got ${shownValue(value)}`)
}

/** @throws TypeError unless every own key of `options` is known: a misspelt option must not be silently lost. */
export function checkKeys(owner: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw invalidOption(owner, 'options', 'an object', options)
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw new TypeError(`${owner}: unknown option ${shownValue(key)}; known are ${known.join(', ')}`)
  }
}

/** @throws TypeError unless `value` is undefined or a number of that rule. */
export function checkNumber(owner: string, name: string, value: unknown, rule: NumberRule): void {
  if (value === undefined) return
  const kind = rule.integer === true ? 'a whole number' : 'a number'
  const fits =
    typeof value === 'number' &&
    value >= rule.min &&
    value <= (rule.max ?? Infinity) &&
    (rule.integer !== true || Number.isInteger(value)) &&
    (rule.infinite === true || Number.isFinite(value))
  const range = rule.max === undefined ? `of at least ${rule.min}` : `from ${rule.min} to ${rule.max}`
  if (!fits) throw invalidOption(owner, name, `${kind} ${range}`, value)
}

/** @throws TypeError unless `value` is undefined or a boolean. */
export function checkFlag(owner: string, name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalidOption(owner, name, 'true or false', value)
}

/** @throws TypeError unless `value` is undefined or one of `allowed`. */
export function checkOneOf(owner: string, name: string, value: unknown, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value as string)) return
  throw invalidOption(owner, name, `one of ${allowed.map((word) => `'${word}'`).join(', ')}`, value)
}

/** @throws TypeError unless `value` is undefined or a function. */
export function checkFunction(owner: string, name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw invalidOption(owner, name, 'a function', value)
}

/** @throws TypeError unless `value` is undefined, false, or a number of milliseconds above 0. */
export function checkDuration(owner: string, name: string, value: unknown): void {
  if (value === undefined || value === false) return
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return
  throw invalidOption(owner, name, 'a number of milliseconds above 0, or false', value)
}

/** A check of its own: throws a TypeError unless `value` is undefined or what it may be. */
export type Check = (owner: string, name: string, value: unknown) => void

/** What a member may be: a number of that rule, a number or one word, a flag, a function, a time limit, one of some words. */
export type Rule = (NumberRule & { readonly or?: unknown }) | 'flag' | 'function' | 'duration' | readonly string[] | Check

const checks: Readonly<Record<'flag' | 'function' | 'duration', Check>> = {
  flag: checkFlag,
  function: checkFunction,
  duration: checkDuration,
}

/** @throws TypeError for a member that breaks its rule; those without a rule are not looked at. */
export function checkMembers(
  owner: string,
  options: Readonly<Record<string, unknown>>,
  rules: Readonly<Record<string, Rule>>,
): void {
  for (const name of Object.keys(options))
    if (Object.hasOwn(rules, name)) checkMember(owner, name, options[name], rules[name] as Rule)
}

function checkMember(owner: string, name: string, value: unknown, rule: Rule): void {
  if (typeof rule === 'string') checks[rule](owner, name, value)
  else if (typeof rule === 'function') rule(owner, name, value)
  else if (isWords(rule)) checkOneOf(owner, name, value, rule)
  else if (rule.or === undefined || value !== rule.or) checkNumber(owner, name, value, rule)
}

function isWords(rule: object): rule is readonly string[] {
  return Array.isArray(rule)
}

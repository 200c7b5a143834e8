import { types } from 'node:util'
import type { OwnNames } from '../types/redact.ts'
import { branchOf } from './brand.ts'
import { isSecretName } from './redact.ts'
import { isInnocent, redactLines, redactText } from './redact-text.ts'

/** Members that hold what was sent or received, or how: whatever else an error may tell, not this. */
const told = new Set(['body', 'config', 'data', 'headers', 'input', 'base', 'options', 'rawPacket', 'request', 'response', 'url'])
/** Members by which Node.js and undici tell what failed where. */
const telling = new Set(['syscall', 'address', 'host', 'hostname', 'path', 'reason', 'library', 'function'])
/** Codes of Node.js, undici, OpenSSL and the resolvers. */
const code = /^[A-Z][A-Z0-9_]*$/
/** Members that are looked at for themselves. */
const known = new Set<PropertyKey>(['name', 'message', 'stack', 'cause', 'errors'])
/** How far a chain of causes is followed; what lies deeper is left out. */
const maxDepth = 8

/** By what an error is judged: the caller's own names, and secrets that the request carries for certain. */
interface Judged {
  readonly own: OwnNames | undefined
  readonly secrets: readonly string[]
}

/**
 * What somebody else threw, safe to stand in an error of ours: the very same where there is nothing to hide, which is the rule;
 * else a copy with its name, message, stack, code and plain members. Our own errors and the causes of causes are as they should be.
 */
export function redactError(error: unknown, own?: OwnNames, secrets: readonly string[] = []): unknown {
  return redacted(error, { own, secrets }, 0)
}

function redacted(error: unknown, judged: Judged, depth: number): unknown {
  if (typeof error === 'string') return redactText(error, judged.own, judged.secrets)
  if ((typeof error !== 'object' && typeof error !== 'function') || error === null) return error
  if (!isError(error)) return new Error(`something was thrown that is no error, but of type ${typeof error}`)
  if (branchOf(error) !== undefined) return error
  if (depth >= maxDepth) return undefined
  const { cause, errors } = membersOf(error)
  const safeCause = redacted(cause, judged, depth + 1)
  const safeErrors = Array.isArray(errors) ? errors.map((one) => redacted(one, judged, depth + 1)) : undefined
  const sameErrors = Array.isArray(errors) ? safeErrors?.every((one, index) => one === errors[index]) : errors === undefined
  if (safeCause === cause && sameErrors === true && isClean(error, judged)) return error
  return copyOf(error, judged, { cause: safeCause, errors: safeErrors })
}

function isError(value: object): value is Error {
  return types.isNativeError(value) || value instanceof Error
}

/** Read as own properties: a getter of somebody else is not to run here. */
function membersOf(error: Error): { readonly cause: unknown; readonly errors: unknown } {
  return {
    cause: Object.getOwnPropertyDescriptor(error, 'cause')?.value as unknown,
    errors: Object.getOwnPropertyDescriptor(error, 'errors')?.value as unknown,
  }
}

function isClean(error: Error, { own, secrets }: Judged): boolean {
  const { name, message } = error
  const isSame = (text: unknown): boolean => typeof text === 'string' && redactText(text, own, secrets) === text
  if (!isSame(name) || !isSame(message)) return false
  // The stack begins with the message as it was at first.
  if (redactLines(headOf(error), own, secrets) !== headOf(error)) return false
  return Reflect.ownKeys(error).every((key) => known.has(key) || isPlain(error, key, { own, secrets }))
}

/** Whether a member is fit to be shown: no object, which may hold anything, but for what undici and Node tell of the peer. */
function isPlain(error: Error, key: PropertyKey, { own, secrets }: Judged): boolean {
  const { value } = Object.getOwnPropertyDescriptor(error, key) ?? {}
  if (typeof key !== 'string') return false
  if (told.has(key) || (key !== 'code' && isSecretName(key, own))) return value === undefined || value === null
  if (key === 'cert') return true
  if (key === 'socket') return typeof value === 'object' && Object.values(value ?? {}).every((one) => typeof one !== 'object')
  if (Object.getOwnPropertyDescriptor(error, key)?.get !== undefined) return false
  if (typeof value === 'string')
    return isInnocent(value) || ((telling.has(key) || code.test(value)) && redactText(value, own, secrets) === value)
  return typeof value !== 'object' && typeof value !== 'function' ? true : value === null
}

const platforms: readonly (new (message: string) => Error)[] = [TypeError, RangeError, SyntaxError, Error]

function copyOf(error: Error, judged: Judged, inner: { readonly cause: unknown; readonly errors: unknown }): Error {
  const { own, secrets } = judged
  const Kind = platforms.find((kind) => error instanceof kind) ?? Error
  const message = redactText(String(error.message), own, secrets)
  const name = redactText(String(error.name), own, secrets)
  const copy = error instanceof AggregateError ? new AggregateError([], message) : new Kind(message)
  const frames = (error.stack ?? '').slice(headOf(error).length)
  const hidden: Record<string, unknown> = { name, stack: `${name}: ${message}${frames}` }
  if (inner.cause !== undefined) hidden.cause = inner.cause
  if (inner.errors !== undefined) hidden.errors = inner.errors
  for (const [key, value] of Object.entries(hidden))
    Object.defineProperty(copy, key, { value, configurable: true, writable: true, enumerable: false })
  for (const key of Reflect.ownKeys(error))
    if (!known.has(key) && isPlain(error, key, judged)) Reflect.set(copy, key, Reflect.get(error, key))
  return copy
}

/** The stack up to its frames: the name and the message, which may have lines that look like frames. */
function headOf({ stack = '', message }: Error): string {
  const at = message === '' ? -1 : stack.indexOf(message)
  const frames = stack.indexOf('\n    at ', at === -1 ? 0 : at + message.length)
  return frames === -1 ? stack : stack.slice(0, frames)
}

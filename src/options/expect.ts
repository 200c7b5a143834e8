import { checkDuration, checkKeys, invalidOption } from '../policy/checks.ts'
import type { CallOptions } from '../types/call-options.ts'
import type { ClientOptions, ResolvedOptions } from '../types/options.ts'

/** How long content waits for a 100 Continue; many servers send none. */
const defaultAfterMs = 1_000

/** @throws TypeError unless `value` is undefined, true, false or an object with `afterMs`. */
export function checkExpect(owner: string, name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return
  if (typeof value !== 'object' || value === null) throw invalidOption(owner, name, 'true, false or an object', value)
  checkKeys(`${owner}: ${name}`, value, ['afterMs'])
  const { afterMs } = Object.assign(Object.create(null), value) as { afterMs?: unknown }
  if (afterMs === false) throw invalidOption(owner, `${name}.afterMs`, 'a number of milliseconds above 0', afterMs)
  checkDuration(owner, `${name}.afterMs`, afterMs)
}

/**
 * Milliseconds to wait for a 100 Continue, RFC 9110 §10.1.1: those of the call or the client, else those of its parent.
 *
 * @throws TypeError where requests are sent by something that cannot ask.
 */
export function resolveExpect(owner: string, parent: ResolvedOptions, own: CallOptions & ClientOptions): number | false {
  const { expectContinue } = own
  const afterMs = expectContinue === undefined ? parent.expectContinue : msOf(expectContinue)
  if (afterMs === false) return false
  for (const other of ['dispatcher', 'transport'] as const) {
    if ((own[other] ?? parent[other]) !== undefined)
      throw new TypeError(`${owner}: expectContinue and ${other} cannot both be given: a ${other} sends content at once`)
  }
  return afterMs
}

function msOf(option: boolean | { readonly afterMs?: number }): number | false {
  if (typeof option === 'boolean') return option && defaultAfterMs
  return (Object.hasOwn(option, 'afterMs') ? option.afterMs : undefined) ?? defaultAfterMs
}

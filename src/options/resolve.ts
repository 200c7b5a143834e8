import type { Clock } from '../clock.ts'
import { mergeFields } from '../http/fields.ts'
import { isForbiddenPort } from '../http/ports.ts'
import { asFolder, hasUserinfo, isHttp } from '../http/target.ts'
import { bare, checkFunction, checkKeys, checkNumber, checkOneOf, given, invalidOption } from '../policy/checks.ts'
import { asksFunctions } from '../policy/classify.ts'
import type { CallOptions, ClientOptions, ResolvedOptions } from '../types/options.ts'
import type { EndpointsConfig } from '../types/protection.ts'
import { resolveConnect } from './connect.ts'
import { mergePolicies } from './policies.ts'
import { protections, resolveProtection } from './protection.ts'

/** The options that a call may have of its own. */
export const callKeys = [
  'on',
  'maxAttempts',
  'timeoutMs',
  'attemptTimeoutMs',
  'idleTimeoutMs',
  'maxDecodedBytes',
  'errors',
  'onInformation',
] as const
const clientKeys = [
  ...callKeys,
  'baseUrl',
  'headers',
  'connectTimeoutMs',
  'connect',
  'transport',
  'dispatcher',
  ...protections,
  'clock',
  'random',
]

/**
 * Client options over those of a parent, own properties only.
 *
 * @throws TypeError naming the option and the value, for an unknown or an invalid one.
 */
export function resolveClient(parent: ResolvedOptions, options: ClientOptions, owner: string): ResolvedOptions {
  checkKeys(owner, options, clientKeys)
  const own = bare(options)
  checkCall(owner, own)
  checkDuration(owner, 'connectTimeoutMs', own.connectTimeoutMs)
  checkFunction(owner, 'transport', own.transport)
  checkFunction(owner, 'random', own.random)
  checkClock(owner, own.clock)
  if (own.dispatcher !== undefined && typeof own.dispatcher?.dispatch !== 'function') {
    throw invalidOption(owner, 'dispatcher', 'an undici Dispatcher', own.dispatcher)
  }
  const on = mergePolicies(owner, parent.on, own.on)
  const protection = resolveProtection(owner, parent, own)
  const changed: Partial<ResolvedOptions> = {
    ...protection,
    connect: resolveConnect(owner, parent, own),
    on,
    asksFunctions: asksFunctions(on),
    clock: own.clock === undefined ? parent.clock : boundClock(own.clock),
    headers: mergeFields(parent.headers, own.headers),
    baseUrl: own.baseUrl === undefined ? (parent.baseUrl ?? firstOf(protection.endpoints)) : baseOf(owner, own.baseUrl),
  }
  return { ...parent, ...given(own), ...changed } as ResolvedOptions
}

/**
 * The options of one call over those of its client.
 *
 * @throws TypeError naming the option and the value, for an invalid one.
 */
export function resolveCall(client: ResolvedOptions, options: CallOptions): ResolvedOptions {
  checkCall('fetch', options)
  const on = mergePolicies('fetch', client.on, options.on)
  return { ...client, ...options, on, asksFunctions: asksFunctions(on) } as ResolvedOptions
}

function checkCall(owner: string, options: CallOptions): void {
  checkNumber(owner, 'maxAttempts', options.maxAttempts, { min: 1, integer: true })
  checkDuration(owner, 'timeoutMs', options.timeoutMs)
  checkDuration(owner, 'attemptTimeoutMs', options.attemptTimeoutMs)
  checkDuration(owner, 'idleTimeoutMs', options.idleTimeoutMs)
  if (options.maxDecodedBytes !== false) checkNumber(owner, 'maxDecodedBytes', options.maxDecodedBytes, { min: 0, integer: true })
  checkOneOf(owner, 'errors', options.errors, ['throw', 'return', 'fetch'])
  checkFunction(owner, 'onInformation', options.onInformation)
}

function checkDuration(owner: string, name: string, value: unknown): void {
  if (value === undefined || value === false) return
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return
  throw invalidOption(owner, name, 'a number of milliseconds above 0, or false', value)
}

function checkClock(owner: string, clock: Clock | undefined): void {
  if (clock === undefined) return
  for (const name of ['now', 'wallTime', 'after'] as const) {
    if (typeof clock?.[name] !== 'function') throw invalidOption(owner, `clock.${name}`, 'a function', clock?.[name])
  }
}

/** Its methods are handed on as functions; those of a class would lose what they belong to. */
function boundClock(clock: Clock): Clock {
  return { now: () => clock.now(), wallTime: () => clock.wallTime(), after: (ms, run) => clock.after(ms, run) }
}

/** Without a `baseUrl`, that of endpoints is the first of them. */
function firstOf(endpoints: EndpointsConfig | undefined): URL | undefined {
  return endpoints === undefined ? undefined : new URL(endpoints.origins[0] as string)
}

function baseOf(owner: string, base: unknown): URL {
  const text = String(base)
  if (!URL.canParse(text)) throw invalidOption(owner, 'baseUrl', 'an absolute URL', base)
  const url = new URL(text)
  if (!isHttp(url)) throw invalidOption(owner, 'baseUrl', 'an http or https URL', url.protocol)
  if (isForbiddenPort(url)) throw new TypeError(`${owner}: baseUrl has the forbidden port ${url.port} (Fetch standard §2.9)`)
  if (hasUserinfo(url)) throw new TypeError(`${owner}: baseUrl must not have credentials in it`)
  return asFolder(url)
}

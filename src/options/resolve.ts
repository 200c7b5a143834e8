import type { Clock } from '../clock.ts'
import { mergeFields } from '../http/fields.ts'
import { isForbiddenPort } from '../http/ports.ts'
import { asFolder, hasUserinfo, isHttp } from '../http/target.ts'
import { textOf } from '../http/text.ts'
import { bare, checkKeys, checkMembers, given, invalidOption, type Rule } from '../policy/checks.ts'
import { asksFunctions, refreshes } from '../policy/classify.ts'
import type { CallOptions } from '../types/call-options.ts'
import type { CookieJar } from '../types/credentials.ts'
import type { ClientOptions, ResolvedOptions } from '../types/options.ts'
import type { EndpointsConfig } from '../types/protection.ts'
import { resolveCache } from './cache.ts'
import { coalescingOf } from './coalesce.ts'
import { resolveConnect } from './connect.ts'
import { checkExpect, resolveExpect } from './expect.ts'
import { mergePolicies } from './policies.ts'
import { protections, resolveProtection } from './protection.ts'
import { detailsByEnvironment, resolveRedact } from './redact.ts'
import { resolveResume } from './resume.ts'
import { resolveSchema } from './schema.ts'
import { checkSeen, resolveTargets } from './targets.ts'

/** The options that a call may have of its own, but for `on`, `resume`, `schema` and `redact`, and what they may be. */
const callRules = {
  maxAttempts: { min: 1, integer: true },
  timeoutMs: 'duration',
  attemptTimeoutMs: 'duration',
  idleTimeoutMs: 'duration',
  maxDecodedBytes: { min: 0, integer: true, or: false },
  errors: ['throw', 'return', 'fetch'],
  details: ['production', 'development'],
  onInformation: 'function',
  idempotencyKey: checkKey,
  maxResponseBytes: { min: 0, integer: true, or: false },
  onDownloadProgress: 'function',
  onUploadProgress: 'function',
  expectContinue: checkExpect,
} as const satisfies Readonly<Record<string, Rule>>

/** The options that a call may have of its own. */
export const callKeys: readonly string[] = ['on', 'resume', 'schema', 'redact', ...Object.keys(callRules)]

const clientRules = {
  ...callRules,
  connectTimeoutMs: 'duration',
  transport: 'function',
  dispatcher: checkDispatcher,
  cookies: checkJar,
  clock: checkClock,
  random: 'function',
} as const satisfies Readonly<Record<string, Rule>>

const clientKeys = [...callKeys, ...Object.keys(clientRules), 'baseUrl', 'headers', 'connect', 'targets', 'cache', ...protections]

/**
 * Client options over those of a parent, own properties only.
 *
 * @throws TypeError naming the option and the value, for an unknown or an invalid one.
 */
export function resolveClient(parent: ResolvedOptions, options: ClientOptions, owner: string): ResolvedOptions {
  checkKeys(owner, options, clientKeys)
  const own = bare(options)
  checkMembers(owner, own as Record<string, unknown>, clientRules)
  const on = mergePolicies(owner, parent.on, own.on)
  const cache = resolveCache(owner, own.cache, parent.cache)
  const protection = resolveProtection(owner, parent, own)
  const changed: Partial<ResolvedOptions> = {
    ...protection,
    resume: resolveResume(owner, own.resume, parent.resume),
    schema: resolveSchema(owner, own.schema, parent.schema),
    redact: resolveRedact(owner, own.redact, parent.redact),
    details: own.details ?? parent.details ?? detailsByEnvironment(),
    connect: resolveConnect(owner, parent, own),
    targets: resolveTargets(owner, parent, own.targets),
    cache,
    coalesce: coalescingOf(owner, own.coalesce, parent.coalesce, cache !== undefined),
    expectContinue: resolveExpect(owner, parent, own),
    on,
    asksFunctions: asksFunctions(on),
    refreshes: refreshes(on),
    cookies: own.cookies === undefined ? parent.cookies : own.cookies || undefined,
    clock: own.clock === undefined ? parent.clock : boundClock(own.clock),
    headers: mergeFields(parent.headers, own.headers),
    baseUrl: own.baseUrl === undefined ? (parent.baseUrl ?? firstOf(protection.endpoints)) : baseOf(owner, own.baseUrl),
  }
  const resolved = { ...parent, ...given(own), ...changed } as ResolvedOptions
  checkSeen(owner, resolved)
  return resolved
}

/**
 * The options of one call over those of its client.
 *
 * @throws TypeError naming the option and the value, for an invalid one.
 */
export function resolveCall(client: ResolvedOptions, options: CallOptions): ResolvedOptions {
  checkMembers('fetch', options as Record<string, unknown>, callRules)
  const on = mergePolicies('fetch', client.on, options.on)
  const resolved = {
    on,
    asksFunctions: asksFunctions(on),
    refreshes: refreshes(on),
    resume: resolveResume('fetch', options.resume, client.resume),
    schema: resolveSchema('fetch', options.schema, client.schema),
    redact: resolveRedact('fetch', options.redact, client.redact),
    expectContinue: resolveExpect('fetch', client, options),
  }
  return { ...client, ...options, ...resolved } as ResolvedOptions
}

function checkClock(owner: string, name: string, clock: unknown): void {
  if (clock === undefined) return
  for (const method of ['now', 'wallTime', 'after'] as const) {
    const given = (clock as Partial<Clock> | null)?.[method]
    if (typeof given !== 'function') throw invalidOption(owner, `${name}.${method}`, 'a function', given)
  }
}

function checkJar(owner: string, name: string, jar: unknown): void {
  if (jar === undefined || jar === false) return
  for (const method of ['getCookieString', 'setCookie'] as const) {
    const given = (jar as Partial<CookieJar> | null)?.[method]
    if (typeof given !== 'function') throw invalidOption(owner, `${name}.${method}`, 'a function', given)
  }
}

function checkKey(owner: string, name: string, make: unknown): void {
  if (make === undefined || typeof make === 'boolean' || typeof make === 'function') return
  // What was given is not shown: a key that all calls share would be a mistake, and may be a secret.
  throw new TypeError(`${owner}: ${name} must be true, false or a function, got ${typeof make}`)
}

function checkDispatcher(owner: string, name: string, dispatcher: unknown): void {
  if (dispatcher === undefined || typeof (dispatcher as { dispatch?: unknown } | null)?.dispatch === 'function') return
  throw invalidOption(owner, name, 'an undici Dispatcher', dispatcher)
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
  const text = textOf(`${owner}: baseUrl`, base)
  if (!URL.canParse(text)) throw invalidOption(owner, 'baseUrl', 'an absolute URL', base)
  const url = new URL(text)
  if (!isHttp(url)) throw invalidOption(owner, 'baseUrl', 'an http or https URL', url.protocol)
  if (isForbiddenPort(url)) throw new TypeError(`${owner}: baseUrl has the forbidden port ${url.port} (Fetch standard §2.9)`)
  if (hasUserinfo(url)) throw new TypeError(`${owner}: baseUrl must not have credentials in it`)
  return asFolder(url)
}

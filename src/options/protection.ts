import { isFieldName } from '../http/fields.ts'
import { bare, checkKeys, checkMembers, given, invalidOption, type Rule } from '../policy/checks.ts'
import type { ClientOptions } from '../types/options.ts'
import type { Protection, RetryBudgetConfig } from '../types/protection.ts'
import { resolveEndpoints } from './endpoints.ts'

/** What a feature is given as, and what it is made of. */
export interface FeatureRules {
  readonly defaults: object
  readonly rules: Readonly<Record<string, Rule>>
  /** What one member has to do with another. */
  readonly settle?: (owner: string, config: Record<string, unknown>) => void
}

const count: Rule = { min: 0, integer: true }
const natural: Rule = { min: 1, integer: true }
const durationMs: Rule = { min: 1 }
const ratio: Rule = { min: 0, max: 1 }

/** A fixed limit is a line for work that has to be done; one that adapts shows that the origin cannot keep up. */
const fixedQueueMs = 10_000
const adaptiveQueueMs = 1_000

/** The features that are given as true, false or an object: their members with their defaults. */
const features = {
  retryBudget: {
    defaults: { capacity: 100, retryCost: 5, timeoutCost: 10 },
    rules: { capacity: natural, retryCost: count, timeoutCost: count },
  },
  throttle: {
    defaults: { multiplier: 2, maxRatio: 0.9, windowMs: 30_000, minVolume: 20 },
    rules: { multiplier: { min: 1 }, maxRatio: ratio, windowMs: durationMs, minVolume: natural },
  },
  breaker: {
    defaults: {
      failureRatio: 0.5,
      minVolume: 20,
      windowMs: 10_000,
      consecutiveFailures: false,
      openMs: 1_000,
      maxOpenMs: 4_000,
      probes: 3,
    },
    rules: {
      failureRatio: ratio,
      minVolume: natural,
      windowMs: durationMs,
      consecutiveFailures: { ...natural, or: false },
      openMs: durationMs,
      maxOpenMs: durationMs,
      probes: natural,
      onChange: 'function',
    },
  },
  health: {
    defaults: { windowMs: 60_000, failureRatio: 0.05, minVolume: 20 },
    rules: { windowMs: durationMs, failureRatio: ratio, minVolume: natural },
  },
  concurrency: {
    defaults: { limit: 'adaptive', initialLimit: 20, minLimit: 1, maxLimit: 1_000, maxQueued: 1_000 },
    rules: {
      limit: { ...natural, or: 'adaptive' },
      initialLimit: natural,
      minLimit: natural,
      maxLimit: natural,
      maxQueued: count,
      maxQueueMs: { ...durationMs, or: false },
    },
    settle: settleConcurrency,
  },
  rateLimit: {
    defaults: { windowMs: 1_000, followServer: true, maxQueued: 10_000, maxWaitMs: 60_000 },
    rules: {
      limit: natural,
      windowMs: durationMs,
      burst: natural,
      followServer: 'flag',
      maxQueued: count,
      maxWaitMs: { min: 0 },
    },
    settle: settleRateLimit,
  },
  hedge: {
    defaults: { percentile: 0.95, initialMs: 1_000, maxHedges: 1, budgetRatio: 0.1 },
    rules: { afterMs: { min: 0 }, percentile: ratio, initialMs: durationMs, maxHedges: natural, budgetRatio: ratio },
  },
} as const satisfies Record<string, FeatureRules>

type Feature = keyof typeof features

/** The options that are those of a client, and of no single call. */
export const protections: readonly string[] = [...Object.keys(features), 'endpoints', 'deadlineField', 'coalesce']

/** The retry budget every client has unless it says otherwise. */
export const defaultRetryBudget: RetryBudgetConfig = bare(features.retryBudget.defaults)

/**
 * The protections of a client over those of its parent. A feature that is not named is the very one of the parent, and
 * shares its state.
 *
 * @throws TypeError naming the option and the value.
 */
export function resolveProtection(owner: string, parent: Protection, own: ClientOptions): Protection {
  const resolved = Object.keys(features).map((name) => [
    name,
    resolveFeature(owner, name as Feature, own[name as Feature], parent[name as Feature]),
  ])
  return {
    ...(Object.fromEntries(resolved) as Pick<Protection, Feature>),
    endpoints: resolveEndpoints(owner, own.endpoints, parent.endpoints),
    deadlineField: resolveField(owner, own.deadlineField, parent.deadlineField),
  }
}

function resolveFeature(owner: string, name: Feature, asked: unknown, inherited: object | undefined): object | undefined {
  const options = name === 'concurrency' && typeof asked === 'number' ? { limit: asked } : asked
  return resolveMembers(owner, name, features[name], options, inherited)
}

/**
 * A feature that is given as true, false or an object: its members over their defaults.
 *
 * @throws TypeError naming the option and the value.
 */
export function resolveMembers<Config extends object>(
  owner: string,
  name: string,
  { defaults, rules, settle }: FeatureRules,
  asked: unknown,
  inherited: Config | undefined,
): Config | undefined {
  if (asked === undefined) return inherited
  if (asked === false) return undefined
  const options = asked === true ? {} : asked
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidOption(owner, name, 'true, false or an object', asked)
  const path = `${owner}: ${name}`
  checkKeys(path, options, Object.keys(rules))
  checkMembers(path, bare(options) as Record<string, unknown>, rules)
  const config: Record<string, unknown> = bare({ ...defaults, ...given(options) })
  settle?.(path, config)
  return config as Config
}

function settleConcurrency(owner: string, config: Record<string, unknown>): void {
  const { limit, minLimit, maxLimit } = config
  config.maxQueueMs ??= limit === 'adaptive' ? adaptiveQueueMs : fixedQueueMs
  if (Number(minLimit) > Number(maxLimit)) throw invalidOption(owner, 'minLimit', `at most maxLimit, ${maxLimit}`, minLimit)
}

function settleRateLimit(owner: string, { burst, limit }: Record<string, unknown>): void {
  if (burst !== undefined && limit === undefined) throw new TypeError(`${owner}: burst needs a limit`)
}

function resolveField(owner: string, asked: string | false | undefined, inherited: string | undefined): string | undefined {
  if (asked === undefined) return inherited
  if (asked === false) return undefined
  if (typeof asked === 'string' && isFieldName(asked)) return asked.toLowerCase()
  throw invalidOption(owner, 'deadlineField', 'the name of a field, or false', asked)
}

import { type BareItem, isInnerList, parseDictionary, parseList } from 'structured-headers'

/** What a response says about one quota of its origin. */
export interface Quota {
  /** The policy it belongs to; where the fields name none, the family of the fields. */
  readonly name: string
  /** Which part of the capacity it is a quota of; empty when there is only one. */
  readonly partition: string
  /** Requests left in the window. */
  readonly remaining: number
  /** Milliseconds until the window ends. */
  readonly resetMs: number
  /** Requests of a whole window. */
  readonly limit: number | undefined
  /** Milliseconds of a whole window. */
  readonly windowMs: number | undefined
}

/** A policy as RateLimit-Policy tells it. */
interface QuotaPolicy {
  readonly name: string
  readonly partition: string
  readonly limit: number | undefined
  readonly windowMs: number | undefined
  /** Whether it counts requests; others count bytes, or requests under way. */
  readonly countsRequests: boolean
}

type Parameters = ReadonlyMap<string, BareItem>

/** The names of the unit in draft-ietf-httpapi-ratelimit-headers-11 §3.1.2 and in its registry, §10.3. */
const requestUnits = new Set(['requests', 'request'])

/**
 * The quotas of a RateLimit field: the list of draft-ietf-httpapi-ratelimit-headers-08 and later, or the dictionary of
 * drafts 03 to 07. What is malformed is ignored, §7 there, and so is a quota of which nothing tells when it ends.
 */
export function rateLimitItems(field: string, policyField: string | null): readonly Quota[] {
  const policies = policyField === null ? [] : policyItems(policyField)
  return field.includes('remaining=') ? fromDictionary(field, policies) : fromList(field, policies)
}

/** Milliseconds of the window of this many requests, by the parameter `w` of a list such as `100, 100;w=60`. */
export function windowOf(limit: number | undefined, list: string): number | undefined {
  return policyItems(list).find((policy) => policy.limit === limit && policy.windowMs !== undefined)?.windowMs
}

function fromList(field: string, policies: readonly QuotaPolicy[]): readonly Quota[] {
  return itemsOf(field).flatMap(([value, parameters]) => {
    const name = String(value)
    const partition = partitionOf(parameters)
    const same = policies.filter((policy) => policy.name === name)
    const policy = same.find((candidate) => candidate.partition === partition) ?? same[0]
    const remaining = naturalOf(parameters.get('r'))
    const resetSeconds = naturalOf(parameters.get('t'))
    // Without an effective window the whole one is the most there can be left of it.
    const resetMs = resetSeconds === undefined ? policy?.windowMs : resetSeconds * 1_000
    if (remaining === undefined || resetMs === undefined) return []
    if (!countsRequests(parameters) || policy?.countsRequests === false) return []
    return [{ name, partition, remaining, resetMs, limit: policy?.limit, windowMs: policy?.windowMs }]
  })
}

function fromDictionary(field: string, policies: readonly QuotaPolicy[]): readonly Quota[] {
  const members = parsed(parseDictionary, field) ?? new Map()
  const member = (name: string): number | undefined => naturalOf(members.get(name)?.[0])
  const [limit, remaining, resetSeconds] = [member('limit'), member('remaining'), member('reset')]
  if (remaining === undefined || resetSeconds === undefined) return []
  const windowMs = policies.find((policy) => policy.limit === limit)?.windowMs
  return [{ name: 'ratelimit', partition: '', remaining, resetMs: resetSeconds * 1_000, limit, windowMs }]
}

/** Draft 11 gives the limit as `q`, drafts up to 07 as the value of the item. */
function policyItems(field: string): readonly QuotaPolicy[] {
  return itemsOf(field).map(([value, parameters]) => {
    const windowSeconds = naturalOf(parameters.get('w'))
    return {
      name: String(value),
      partition: partitionOf(parameters),
      limit: naturalOf(parameters.get('q') ?? value),
      windowMs: windowSeconds === undefined || windowSeconds === 0 ? undefined : windowSeconds * 1_000,
      countsRequests: countsRequests(parameters),
    }
  })
}

function itemsOf(field: string): readonly (readonly [BareItem, Parameters])[] {
  return (parsed(parseList, field) ?? []).flatMap((member) => (isInnerList(member) ? [] : [member]))
}

function parsed<Value>(parse: (field: string) => Value, field: string): Value | undefined {
  try {
    return parse(field)
  } catch {
    return undefined
  }
}

function countsRequests(parameters: Parameters): boolean {
  const unit = parameters.get('qu')
  return unit === undefined || requestUnits.has(String(unit))
}

function partitionOf(parameters: Parameters): string {
  const key = parameters.get('pk')
  if (key === undefined) return ''
  return key instanceof ArrayBuffer ? Buffer.from(key).toString('base64') : String(key)
}

/** A number that is no less than nothing; a fraction of a request is none. */
function naturalOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? Math.floor(value) : undefined
}

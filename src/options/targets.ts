import { isIP } from 'node:net'
import { type Block, canonicalHost, parseAddress, parseBlock } from '../http/address.ts'
import { targetSets } from '../http/target-sets.ts'
import { bare, checkKeys, checkOneOf, invalidOption } from '../policy/checks.ts'
import { type RuleList, type TargetConfig, Targets } from '../policy/targets.ts'
import type { ClientOptions, ResolvedOptions } from '../types/options.ts'
import type { TargetFunction, TargetOptions, TargetSet } from '../types/targets.ts'

type Text = Pick<RuleList, 'hosts' | 'blocks'>

const schemes = ['http', 'https']
const highestPort = 65_535
const rule = "a host, '*.' and a host, an IP address, a CIDR block without bits beyond its prefix, a function, or one of the sets"
const ruleDemand = `${rule} ${targetSets.join(', ')}; a host of one label has a port, or a dot at its end`

/**
 * The rules for targets of a client, beside those of its parent: a child may narrow them, never widen. A child that adds none
 * has the very rules of its parent, and with them its connections.
 *
 * @throws TypeError naming the option and the value.
 */
export function resolveTargets(
  owner: string,
  parent: Pick<ResolvedOptions, 'targets'>,
  asked: ClientOptions['targets'],
): Targets | undefined {
  const inherited = parent.targets as Targets | undefined
  if (asked === undefined) return inherited
  if (asked === false && inherited === undefined) return undefined
  if (asked === false) throw new TypeError(`${owner}: targets cannot be false: a child has the rules of its parent at least`)
  if (typeof asked !== 'object' || asked === null || Array.isArray(asked))
    throw invalidOption(owner, 'targets', 'an object such as { deny: [] }', asked)
  const config = configOf(owner, asked)
  const before = inherited?.configs ?? []
  const isKnown = before.some((one) => one.text === config.text && !hasFunctions(one) && !hasFunctions(config))
  return isKnown ? inherited : new Targets([...before, config])
}

/**
 * Refuses what opens connections where nobody sees to which address, unless that is accepted.
 *
 * @throws TypeError naming both options.
 */
export function checkSeen(
  owner: string,
  { targets, transport, dispatcher, connect }: Pick<ResolvedOptions, 'targets' | 'transport' | 'dispatcher' | 'connect'>,
): void {
  if (targets?.looksAtAddresses !== true) return
  const socketPath = typeof connect === 'object' && connect.socketPath !== undefined ? 'connect.socketPath' : undefined
  const other = transport === undefined ? (dispatcher === undefined ? socketPath : 'dispatcher') : 'transport'
  if (other === undefined || targets.unseen === 'unchecked') return
  const hint = "targets: { unseen: 'unchecked' } does without, if it has rules of its own"
  throw new TypeError(`${owner}: targets cannot be checked with ${other}: the addresses it connects to are not seen; ${hint}`)
}

function configOf(owner: string, asked: TargetOptions): TargetConfig {
  checkKeys(`${owner}: targets`, asked, ['allow', 'deny', 'schemes', 'ports', 'unseen'])
  const own = bare(asked)
  checkOneOf(owner, 'targets.unseen', own.unseen, ['own', 'unchecked'])
  const ports = own.ports === undefined ? undefined : listOf(owner, 'ports', own.ports).map((port) => portOf(owner, port))
  const allowed = own.schemes === undefined ? schemes : listOf(owner, 'schemes', own.schemes)
  for (const scheme of allowed) {
    if (!schemes.includes(scheme as string)) throw invalidOption(owner, 'targets.schemes', "a list of 'http' and 'https'", scheme)
  }
  return {
    allow: own.allow === undefined ? undefined : rulesOf(owner, 'allow', own.allow),
    deny: rulesOf(owner, 'deny', own.deny ?? []),
    schemes: allowed as string[],
    ports,
    unseen: own.unseen ?? 'refuse',
    text: JSON.stringify([own.allow, own.deny, allowed, ports, own.unseen]),
  }
}

function hasFunctions({ allow, deny }: TargetConfig): boolean {
  return deny.functions.length > 0 || (allow?.functions.length ?? 0) > 0
}

function listOf(owner: string, name: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw invalidOption(owner, `targets.${name}`, 'a list', value)
  // A copy: what becomes of the list of the caller later changes nothing.
  return [...(value as unknown[])]
}

function portOf(owner: string, port: unknown): number {
  if (typeof port === 'number' && Number.isInteger(port) && port > 0 && port <= highestPort) return port
  throw invalidOption(owner, 'targets.ports', `a list of whole numbers from 1 to ${highestPort}`, port)
}

function rulesOf(owner: string, name: 'allow' | 'deny', given: unknown): RuleList {
  const rules = listOf(owner, name, given)
  const texts = rules.filter((rule) => typeof rule !== 'function' && !isSet(rule))
  const found = texts.map((text) => {
    const parsed = typeof text === 'string' ? textRule(text) : undefined
    if (parsed === undefined) throw invalidOption(owner, `targets.${name}[${rules.indexOf(text)}]`, ruleDemand, text)
    return parsed
  })
  return {
    sets: new Set(rules.filter(isSet)),
    hosts: found.flatMap(({ hosts }) => hosts),
    blocks: found.flatMap(({ blocks }) => blocks),
    functions: rules.filter((rule): rule is TargetFunction => typeof rule === 'function'),
  }
}

function isSet(rule: unknown): rule is TargetSet {
  return (targetSets as readonly unknown[]).includes(rule)
}

/** A rule about an address, a block or a host; undefined when it is none. */
function textRule(text: string): Text | undefined {
  if (text.includes('/') || isIP(text) === 6) return blockRule(parseBlock(text), undefined)
  const [, below = '', host = '', digits] = /^(\*\.)?(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text) ?? []
  const port = digits === undefined ? undefined : Number(digits)
  if (host === '' || /[\s\\?#@%*<>^|]/.test(host) || port === 0 || (port ?? 0) > highestPort) return undefined
  const url = URL.parse(`http://${host}/`)
  if (url === null) return undefined
  // As a target has it, whatever form it was written in.
  const name = canonicalHost(url.hostname)
  if (parseAddress(name) !== undefined) return below === '' ? blockRule(parseBlock(name), port) : undefined
  const isPlain = name.includes('.') || name === 'localhost' || below !== '' || host.endsWith('.') || port !== undefined
  // A set that is misspelt, or has a port, must not be taken for a host.
  if (name === '' || !isPlain || isSet(name)) return undefined
  return { hosts: [{ host: name, below: below !== '', port }], blocks: [] }
}

function blockRule(block: Block | undefined, port: number | undefined): Text | undefined {
  return block && { hosts: [], blocks: [{ block, port }] }
}

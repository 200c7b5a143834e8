import { createHash, randomUUID } from 'node:crypto'
import { type Address, addressText, type Block, canonicalHost, covers, embedded, parseAddress } from '../http/address.ts'
import { setsOfAddress, setsOfName } from '../http/target-sets.ts'
import type { TargetFault, TargetFunction, TargetGuard, TargetInput, TargetSet, TargetVerdict } from '../types/targets.ts'

/** A list of rules after validation. */
export interface RuleList {
  readonly sets: ReadonlySet<TargetSet>
  readonly hosts: readonly { readonly host: string; readonly below: boolean; readonly port: number | undefined }[]
  readonly blocks: readonly { readonly block: Block; readonly port: number | undefined }[]
  readonly functions: readonly TargetFunction[]
}

/** One `targets` option after validation. */
export interface TargetConfig {
  readonly allow: RuleList | undefined
  readonly deny: RuleList
  readonly schemes: readonly string[]
  readonly ports: readonly number[] | undefined
  readonly unseen: 'refuse' | 'own' | 'unchecked'
  /** The rules as text, but for functions. */
  readonly text: string
}

/** A target and what is known of its address. */
interface Subject extends TargetInput {
  readonly ip: Address | undefined
}

const defaultPorts = { http: '80', https: '443' }
/** Most origins whose verdict is remembered. */
const maxVerdicts = 1_000

/** Decides where the requests of a client may go; all the rules of its parents hold as well. */
export class Targets implements TargetGuard {
  readonly configs: readonly TargetConfig[]
  readonly looksAtAddresses: boolean
  readonly unseen: TargetGuard['unseen']
  readonly key: string
  readonly #isFixed: boolean
  readonly #verdicts = new Map<string, TargetVerdict>()

  constructor(configs: readonly TargetConfig[]) {
    const looking = configs.filter(looksAtAddress)
    this.configs = configs
    this.looksAtAddresses = looking.length > 0
    // Who wants less is bound by who wants more.
    this.unseen = (['own', 'refuse'] as const).find((way) => looking.some(({ unseen }) => unseen === way)) ?? 'unchecked'
    this.#isFixed = !configs.some(({ allow, deny }) => deny.functions.length > 0 || (allow?.functions.length ?? 0) > 0)
    const text = configs.map((config) => config.text).join('\n')
    this.key = this.#isFixed ? createHash('sha256').update(text).digest('base64url') : randomUUID()
  }

  verdict(origin: string): TargetVerdict {
    const known = this.#verdicts.get(origin)
    if (known !== undefined) return known
    const { protocol, hostname, port } = new URL(origin)
    const subject = subjectOf(protocol, hostname, port, undefined)
    const verdict = this.#judge(subject)
    if (!this.#isFixed) return verdict
    if (this.#verdicts.size >= maxVerdicts) this.#verdicts.clear()
    this.#verdicts.set(origin, verdict)
    return verdict
  }

  admits({ protocol, hostname, port }: { protocol: string; hostname: string; port: string }, address?: string): boolean {
    if (!this.looksAtAddresses) return true
    if (address === undefined) return this.unseen === 'unchecked'
    const ip = parseAddress(address)
    return ip !== undefined && this.#judge(subjectOf(protocol, hostname, port, ip)) === 'allowed'
  }

  #judge(subject: Subject): TargetVerdict {
    let verdict: TargetVerdict = 'allowed'
    for (const config of this.configs) {
      const one = judged(config, subject)
      if (one !== 'allowed' && one !== 'open') return one
      if (one === 'open') verdict = one
    }
    return verdict
  }
}

/** The end of a message that says why a target is forbidden; never which address a name has: that is for nobody outside. */
export function faultText(fault: TargetFault): string {
  return `the target is forbidden: its ${fault} is not one that may be asked`
}

function subjectOf(protocol: string, hostname: string, port: string, connected: Address | undefined): Subject {
  const scheme = protocol === 'https:' ? 'https' : 'http'
  const literal = parseAddress(canonicalHost(hostname))
  const host = literal === undefined ? canonicalHost(hostname) : addressText(literal)
  const ip = connected ?? literal
  const number = Number(port === '' ? defaultPorts[scheme] : port)
  return { scheme, host, port: number, address: ip === undefined ? undefined : addressText(ip), ip }
}

function looksAtAddress({ allow, deny }: TargetConfig): boolean {
  return isAboutAddresses(deny) || (allow !== undefined && isAboutAddresses(allow))
}

function isAboutAddresses(rules: RuleList): boolean {
  return rules.functions.length > 0 || hasAddresses(rules)
}

function hasAddresses({ sets, blocks }: RuleList): boolean {
  return blocks.length > 0 || [...sets].some((set) => set !== 'local-names')
}

function judged({ allow, deny, schemes, ports }: TargetConfig, subject: Subject): TargetVerdict {
  if (!schemes.includes(subject.scheme)) return 'scheme'
  if (ports !== undefined && !ports.includes(subject.port)) return 'port'
  const fault = subject.ip === undefined ? 'host' : 'address'
  // An address is denied for any that is carried in it; it is allowed for itself alone.
  const addresses = subject.ip === undefined ? [] : [subject.ip, ...embedded(subject.ip)]
  if (matchesName(deny, subject) || addresses.some((ip) => matchesAddress(deny, subject, ip)) || asks(deny, subject)) return fault
  const isOpen = subject.ip === undefined
  if (allow === undefined || matchesName(allow, subject)) return isOpen && isAboutAddresses(deny) ? 'open' : 'allowed'
  // A function that allows a name is asked again about its address; what it does not allow is not even looked up for it.
  if (asks(allow, subject)) return isOpen ? 'open' : 'allowed'
  if (isOpen) return hasAddresses(allow) ? 'open' : 'host'
  return matchesAddress(allow, subject, subject.ip) ? 'allowed' : 'address'
}

function matchesName({ sets, hosts }: RuleList, { host, port }: Subject): boolean {
  if (parseAddress(host) !== undefined) return false
  if (sets.size > 0 && setsOfName(host).some((set) => sets.has(set))) return true
  return hosts.some((rule) => {
    const matches = rule.below ? host.endsWith(`.${rule.host}`) : host === rule.host
    return matches && (rule.port === undefined || rule.port === port)
  })
}

function matchesAddress({ sets, blocks }: RuleList, { port }: Subject, ip: Address): boolean {
  if (sets.size > 0 && setsOfAddress(ip).some((set) => sets.has(set))) return true
  return blocks.some((rule) => covers(rule.block, ip) && (rule.port === undefined || rule.port === port))
}

function asks({ functions }: RuleList, { scheme, host, port, address }: Subject): boolean {
  return functions.some((rule) => {
    const answer: unknown = rule({ scheme, host, port, address })
    if (typeof answer === 'boolean') return answer
    throw new TypeError('targets: a function must return true or false at once')
  })
}

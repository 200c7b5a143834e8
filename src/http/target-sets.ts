import type { TargetSet } from '../types/targets.ts'
import { type Address, type Block, covers, parseAddress, parseBlock } from './address.ts'

/** What each set has; the blocks are those of the special-purpose registries of IANA, an address belongs to the narrowest. */
const blocks: Readonly<Record<Exclude<TargetSet, 'metadata' | 'local-names'> | 'global', readonly string[]>> = {
  unspecified: ['0.0.0.0/8', '::/128'],
  loopback: ['127.0.0.0/8', '::1/128'],
  // Of RFC 1918, RFC 4193, the site-local ones that RFC 3879 gave up, and those of a NAT64 of one's own (RFC 8215).
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10', '64:ff9b:1::/48'],
  shared: ['100.64.0.0/10'],
  'link-local': ['169.254.0.0/16', 'fe80::/10'],
  multicast: ['224.0.0.0/4', 'ff00::/8'],
  documentation: ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'],
  benchmarking: ['198.18.0.0/15', '2001:2::/48'],
  // Protocol assignments, Teredo and 6to4, of which the registries do not say that they are globally reachable, and what is
  // not assigned: all of IPv6 but the space of global unicast.
  reserved: ['192.0.0.0/24', '192.88.99.0/24', '240.0.0.0/4', '::/0', '2001::/23', '2002::/16'],
  // Whether an address of NAT64 is reached depends on the IPv4 address within.
  global: ['0.0.0.0/0', '2000::/3', '64:ff9b::/96'],
}

const table: readonly (readonly [Block, TargetSet | 'global'])[] = Object.entries(blocks)
  .flatMap(([set, list]) => list.map((text) => [parseBlock(text) as Block, set as TargetSet | 'global'] as const))
  .sort(([a], [b]) => b.bits - a.bits)

/** Where clouds tell a machine its credentials; some are on addresses that look like any other. */
const metadataAddresses: ReadonlySet<Address | undefined> = new Set(
  [
    '169.254.169.254',
    '169.254.170.2',
    '169.254.170.23',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254',
  ].map(parseAddress),
)
const metadataName = /^(?:metadata\.google\.internal|metadata\.goog|instance-data(?:\.ec2\.internal)?)$/

/** RFC 6761 §6.3, RFC 6762, RFC 8375, the name that ICANN set aside for private use, and what a search list completes. */
const localName = /^[^.]*$|(?:^|\.)(?:localhost|localdomain|local|internal|home\.arpa)$/

/** All names of sets. */
export const targetSets: readonly TargetSet[] = [
  ...(Object.keys(blocks) as (keyof typeof blocks)[]).filter((set) => set !== 'global'),
  'metadata',
  'local-names',
]

/** The sets an address is in. */
export function setsOfAddress(address: Address): TargetSet[] {
  const set = table.find(([block]) => covers(block, address))?.[1] ?? 'reserved'
  const sets: TargetSet[] = set === 'global' ? [] : [set]
  return metadataAddresses.has(address) ? [...sets, 'metadata'] : sets
}

/** The sets a host name is in. */
export function setsOfName(host: string): TargetSet[] {
  const sets: TargetSet[] = localName.test(host) ? ['local-names'] : []
  return metadataName.test(host) ? [...sets, 'metadata'] : sets
}

import { describe, expect, test } from 'vitest'
import { type Address, addressText, type Block, covers, embedded, parseAddress, parseBlock } from '../../src/http/address.ts'
import { setsOfAddress, setsOfName } from '../../src/http/target-sets.ts'

const address = (text: string): Address => parseAddress(text) as Address
const setsOf = (text: string): string => setsOfAddress(address(text)).join(' ') || 'global'

/** Of each block its set, its first and last address, and the sets of those before and after it. */
const blocks: [block: string, set: string, first: string, last: string, before: string, after: string][] = [
  ['0.0.0.0/8', 'unspecified', '0.0.0.0', '0.255.255.255', '', 'global'],
  ['10.0.0.0/8', 'private', '10.0.0.0', '10.255.255.255', 'global', 'global'],
  ['100.64.0.0/10', 'shared', '100.64.0.0', '100.127.255.255', 'global', 'global'],
  ['127.0.0.0/8', 'loopback', '127.0.0.0', '127.255.255.255', 'global', 'global'],
  ['169.254.0.0/16', 'link-local', '169.254.0.0', '169.254.255.255', 'global', 'global'],
  ['172.16.0.0/12', 'private', '172.16.0.0', '172.31.255.255', 'global', 'global'],
  ['192.0.0.0/24', 'reserved', '192.0.0.0', '192.0.0.255', 'global', 'global'],
  ['192.0.2.0/24', 'documentation', '192.0.2.0', '192.0.2.255', 'global', 'global'],
  ['192.88.99.0/24', 'reserved', '192.88.99.0', '192.88.99.255', 'global', 'global'],
  ['192.168.0.0/16', 'private', '192.168.0.0', '192.168.255.255', 'global', 'global'],
  ['198.18.0.0/15', 'benchmarking', '198.18.0.0', '198.19.255.255', 'global', 'global'],
  ['198.51.100.0/24', 'documentation', '198.51.100.0', '198.51.100.255', 'global', 'global'],
  ['203.0.113.0/24', 'documentation', '203.0.113.0', '203.0.113.255', 'global', 'global'],
  ['224.0.0.0/4', 'multicast', '224.0.0.0', '239.255.255.255', 'global', 'reserved'],
  ['240.0.0.0/4', 'reserved', '240.0.0.0', '255.255.255.255', 'multicast', ''],
  ['::/128', 'unspecified', '::', '::', '', 'loopback'],
  ['::1/128', 'loopback', '::1', '::1', 'unspecified', 'reserved'],
  ['64:ff9b::/96', 'global', '64:ff9b::', '64:ff9b::ffff:ffff', 'reserved', 'reserved'],
  ['64:ff9b:1::/48', 'private', '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff', 'reserved', 'reserved'],
  ['2000::/3', 'global', '2000::', '3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'reserved', 'reserved'],
  ['2001::/23', 'reserved', '2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', 'global', 'global'],
  ['2001:2::/48', 'benchmarking', '2001:2::', '2001:2:0:ffff:ffff:ffff:ffff:ffff', 'reserved', 'reserved'],
  ['2001:db8::/32', 'documentation', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', 'global', 'global'],
  ['2002::/16', 'reserved', '2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'global', 'global'],
  ['3fff::/20', 'documentation', '3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff', 'global', 'global'],
  ['fc00::/7', 'private', 'fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'reserved', 'reserved'],
  ['fe80::/10', 'link-local', 'fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'reserved', 'private'],
  ['fec0::/10', 'private', 'fec0::', 'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'link-local', 'multicast'],
  ['ff00::/8', 'multicast', 'ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'private', ''],
]

describe('the special-purpose blocks', () => {
  test.each(blocks)('%s is %s to its ends, and no further', (_block, set, first, last, before, after) => {
    expect([first, last].map(setsOf)).toEqual([set, set])
    if (before !== '') expect(setsOfAddress(address(first) - 1n).join(' ') || 'global').toBe(before)
    if (after !== '') expect(setsOfAddress(address(last) + 1n).join(' ') || 'global').toBe(after)
  })

  test.each([
    // What IANA keeps out of the registries is not assigned; SRv6 (RFC 9602), discard-only (RFC 6666), dummy (RFC 9780).
    ['5f00::1', 'reserved'],
    ['100::1', 'reserved'],
    ['100:0:0:1::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['8000::1', 'reserved'],
    ['::ffff:0:10.0.0.1', 'reserved'],
    ['::8.8.8.8', 'reserved'],
    ['2001::1', 'reserved'],
    ['2001:10::1', 'reserved'],
    ['2001:20::1', 'reserved'],
    ['2606:4700::1111', 'global'],
    ['2620:4f:8000::1', 'global'],
    ['192.31.196.1', 'global'],
    ['192.52.193.1', 'global'],
    ['192.175.48.1', 'global'],
    ['1.1.1.1', 'global'],
    ['::ffff:1.1.1.1', 'global'],
    ['::ffff:10.0.0.1', 'private'],
    ['::ffff:7f00:1', 'loopback'],
  ])('%s is %s', (text, set) => expect(setsOf(text)).toBe(set))

  test('where clouds keep credentials is metadata, beside what it is otherwise', () => {
    const places = ['169.254.169.254', 'fd00:ec2::254', '100.100.100.200', '168.63.129.16', '192.0.0.192', '168.63.129.17']
    expect(places.map(setsOf)).toEqual([
      'link-local metadata',
      'private metadata',
      'shared metadata',
      'metadata',
      'reserved metadata',
      'global',
    ])
  })

  test('names for the machine, the link and the site are local names', () => {
    const local = ['localhost', 'a.localhost', 'printer.local', 'db.internal', 'router.home.arpa', 'intranet', 'a.localdomain']
    const others = ['example.com', 'local.example', 'notlocalhost.com', 'internal.example.com', 'localhost.example.com']
    expect(local.map((name) => setsOfName(name).join())).toEqual(local.map(() => 'local-names'))
    expect(others.flatMap(setsOfName)).toEqual([])
    expect(['metadata.google.internal', 'metadata.goog', 'instance-data'].map((name) => setsOfName(name).join())).toEqual([
      'local-names,metadata',
      'metadata',
      'local-names,metadata',
    ])
  })
})

describe('an address', () => {
  test.each([
    ['1.2.3.4', '1.2.3.4'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:102:304', '1.2.3.4'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::', '::'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
  ])('%s is %s', (text, shown) => expect(addressText(address(text))).toBe(shown))

  test.each(['', 'example.com', '1.2.3', '01.2.3.4', '1.2.3.4.', '0x7f.0.0.1', '[::1]', '::1::', '1.2.3.4/8', '%'])(
    '%j is none',
    (text) => expect(parseAddress(text)).toBeUndefined(),
  )

  test.each([
    ['64:ff9b::10.0.0.1', ['10.0.0.1']],
    ['64:ff9b:1::10.0.0.1', ['10.0.0.1']],
    ['::ffff:0:10.0.0.1', ['10.0.0.1']],
    ['::10.0.0.1', ['10.0.0.1']],
    ['2002:0a00:0001::1', ['10.0.0.1']],
    ['2001:0:0102:0304::f5ff:fffe', ['1.2.3.4', '10.0.0.1']],
    ['2606::5efe:10.0.0.1', ['10.0.0.1']],
    ['2606::200:5efe:10.0.0.1', ['10.0.0.1']],
    ['::', []],
    ['::1', []],
    ['2606:4700::1111', []],
    ['10.0.0.1', []],
  ])('%s carries %j', (text, carried) => expect(embedded(address(text)).map(addressText)).toEqual(carried))
})

describe('a block', () => {
  const has = (block: string, text: string): boolean => covers(parseBlock(block) as Block, address(text))

  test('has the addresses with its prefix, in whatever form', () => {
    expect(has('10.0.0.0/8', '10.255.0.1')).toBe(true)
    expect(has('10.0.0.0/8', '::ffff:10.0.0.1')).toBe(true)
    expect(has('::ffff:10.0.0.0/104', '10.0.0.1')).toBe(true)
    expect(has('10.0.0.0/8', '11.0.0.0')).toBe(false)
    expect(has('0.0.0.0/0', '255.255.255.255')).toBe(true)
    expect(has('10.0.0.1', '10.0.0.1')).toBe(true)
    expect(has('2001:db8::/32', '2001:db8:1::1')).toBe(true)
  })

  test('of IPv6 has none of IPv4, and the other way round', () => {
    expect(has('::/0', '10.0.0.1')).toBe(false)
    expect(has('::/0', '2001:db8::1')).toBe(true)
    expect(has('0.0.0.0/0', '::1')).toBe(false)
  })

  test.each([
    '',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.1/8',
    '::/129',
    '::1/64',
    'a/8',
    'fe80::%1/64',
  ])('%j is none', (text) => expect(parseBlock(text)).toBeUndefined())
})

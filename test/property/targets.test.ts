import { BlockList, isIPv4, type LookupFunction } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Address, addressText, type Block, covers, parseAddress, parseBlock } from '../../src/http/address.ts'
import { publicOnly, type TargetOptions } from '../../src/index.ts'
import { resolveTargets } from '../../src/options/targets.ts'
import type { Targets } from '../../src/policy/targets.ts'
import { vettedOpen } from '../../src/transport/vetting.ts'

const guardOf = (targets: TargetOptions, parent?: Targets): Targets =>
  resolveTargets('test', { targets: parent }, targets) as Targets
const publicGuard = guardOf(publicOnly)

/** Octets, those at the edges of blocks more often. */
const octet = fc.oneof(fc.constantFrom(0, 10, 100, 127, 169, 172, 192, 198, 224, 240, 254, 255), fc.nat(255))
const octets = fc.tuple(octet, octet, octet, octet)
const ipv4 = octets.map((parts) => parts.join('.'))
const ipv6 = fc.oneof(
  fc.ipV6(),
  fc
    .tuple(fc.constantFrom('::', '::ffff:', '64:ff9b::', '64:ff9b:1::', '2001:0:0:0:0:0:', '2002::', 'fe80::', 'fd00::'), ipv4)
    .map((parts) => parts.join('')),
)
const address = fc.oneof(ipv4, ipv6)

/** A part of an address in one of the bases that URLs know. */
const inBase = (part: number, base: number): string =>
  base === 8 ? `0${part.toString(8)}` : base === 16 ? `0x${part.toString(16)}` : String(part)
const wide = (text: string): string => text.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)))

/** A host that is this address, written in some way. */
const written = (parts: readonly number[]): fc.Arbitrary<string> => {
  const whole = parts.reduce((sum, part) => sum * 256 + part, 0)
  const shapes = [1, 2, 3, 4].map((count) => [...parts.slice(0, count - 1), whole % 256 ** (5 - count)])
  const dotted = fc
    .tuple(
      fc.constantFrom(...shapes),
      fc.array(fc.constantFrom(8, 10, 16), { minLength: 4, maxLength: 4 }),
      fc.boolean(),
      fc.boolean(),
    )
    .map(([shape, bases, upper, dot]) => {
      const text = shape.map((part, index) => inBase(part, bases[index] as number)).join('.') + (dot ? '.' : '')
      return upper ? text.toUpperCase() : text
    })
  const groups = [(parts[0] as number) * 256 + (parts[1] as number), (parts[2] as number) * 256 + (parts[3] as number)]
  const hex = groups.map((group) => group.toString(16)).join(':')
  const mapped = [`::ffff:${parts.join('.')}`, `::FFFF:${hex}`, `0:0:0:0:0:ffff:${hex}`, `0000::ffff:${hex}`]
  return fc.oneof(
    dotted,
    dotted.map(wide),
    dotted.map((text) => text.replaceAll('.', '。')),
    fc.constantFrom(...mapped).map((text) => `[${text}]`),
  )
}

/** A block of the family of its address. */
const block = address.chain((text) => {
  const width = isIPv4(text) ? 32 : 128
  const family = isIPv4(text) ? ('ipv4' as const) : ('ipv6' as const)
  return fc.nat(width).map((prefix) => {
    const bits = BigInt(width - prefix)
    const base = ((parseAddress(text) as Address) >> bits) << bits
    const shown = family === 'ipv4' ? addressText(base) : hexText(base)
    return { text: `${shown}/${prefix}`, base: shown, prefix, family }
  })
})

/** All eight groups of an address. */
function hexText(one: Address): string {
  return one
    .toString(16)
    .padStart(32, '0')
    .replace(/.{4}(?=.)/g, '$&:')
}

describe('any form of an address', () => {
  test('in a target has the verdict of the address', () => {
    fc.assert(
      fc.property(
        octets.chain((parts) => fc.tuple(fc.constant(parts), written(parts))),
        ([parts, host]) => {
          const plain = publicGuard.verdict(`http://${parts.join('.')}`)
          expect(publicGuard.verdict(new URL(`http://${host}/`).origin)).toBe(plain)
          expect(['allowed', 'address']).toContain(plain)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('in a rule is the address', () => {
    fc.assert(
      fc.property(
        octets.chain((parts) => fc.tuple(fc.constant(parts), written(parts))),
        ([parts, host]) => {
          expect(guardOf({ deny: [host] }).verdict(`http://${parts.join('.')}`)).toBe('address')
        },
      ),
    )
  })

  test('is read as the platform reads it, and shown so', () => {
    fc.assert(
      fc.property(ipv6, (text) => {
        const shown = new URL(`http://[${text}]/`).hostname.slice(1, -1)
        const ours = addressText(parseAddress(text) as Address)
        expect(new URL(`http://[${ours.includes(':') ? ours : `::ffff:${ours}`}]/`).hostname.slice(1, -1)).toBe(shown)
        expect(parseAddress(shown)).toBe(parseAddress(text))
      }),
    )
  })
})

describe('blocks', () => {
  test('have the addresses that those of Node have', () => {
    fc.assert(
      fc.property(block, address, ({ text, base, prefix, family }, one) => {
        const list = new BlockList()
        list.addSubnet(base, prefix, family)
        const parsed = parseBlock(text) as Block
        // A block that is wider than all of IPv4 has none of it here.
        const isMapped = (parseAddress(one) as Address) >> 32n === 0xffffn
        if (isMapped && parsed.bits < 96) expect(covers(parsed, parseAddress(one) as Address)).toBe(false)
        else expect(covers(parsed, parseAddress(one) as Address)).toBe(list.check(one, isIPv4(one) ? 'ipv4' : 'ipv6'))
      }),
      { numRuns: 2_000 },
    )
  })

  test('of publicOnly leave no address of IPv4 that the registry does not call global', () => {
    const special = new BlockList()
    for (const [base, prefix] of [
      ['0.0.0.0', 8],
      ['10.0.0.0', 8],
      ['100.64.0.0', 10],
      ['127.0.0.0', 8],
      ['169.254.0.0', 16],
      ['172.16.0.0', 12],
      ['192.0.0.0', 24],
      ['192.0.2.0', 24],
      ['192.88.99.0', 24],
      ['192.168.0.0', 16],
      ['198.18.0.0', 15],
      ['198.51.100.0', 24],
      ['203.0.113.0', 24],
      ['224.0.0.0', 4],
      ['240.0.0.0', 4],
      ['168.63.129.16', 32],
    ] as const) {
      special.addSubnet(base, prefix)
    }
    fc.assert(
      fc.property(ipv4, (one) => {
        expect(publicGuard.verdict(`http://${one}`)).toBe(special.check(one) ? 'address' : 'allowed')
        expect(publicGuard.admits({ protocol: 'http:', hostname: 'a.example', port: '' }, one)).toBe(!special.check(one))
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('guards', () => {
  const rule = fc.oneof(
    block.map(({ text }) => text),
    address.map((one) => (one.includes(':') ? `[${one}]:80` : one)),
    fc.constantFrom(...publicOnly.deny),
    fc.constantFrom('a.example', '*.example', 'b.test', 'localhost', 'a.example:80'),
  )
  const rules = fc.record(
    { allow: fc.array(rule, { minLength: 1 }), deny: fc.array(rule), ports: fc.constant([80]) },
    { requiredKeys: [] },
  )
  const host = fc.oneof(
    address.map((one) => (one.includes(':') ? `[${one}]` : one)),
    fc.constantFrom('a.example', 'b.test', 'localhost', 'c'),
  )

  test('of a child let nothing through that those of its parent do not', () => {
    fc.assert(
      fc.property(rules, rules, host, address, (parents, childs, hostname, one) => {
        const parent = guardOf(parents)
        const child = guardOf(childs, parent)
        const { origin } = new URL(`http://${hostname}`)
        const isFault = (verdict: string): boolean => verdict !== 'allowed' && verdict !== 'open'
        if (isFault(parent.verdict(origin))) expect(isFault(child.verdict(origin))).toBe(true)
        if (parent.verdict(origin) === 'open') expect(child.verdict(origin)).not.toBe('allowed')
        const target = { protocol: 'http:', hostname, port: '' }
        if (!parent.admits(target, one)) expect(child.admits(target, one)).toBe(false)
      }),
      { numRuns: 2_000 },
    )
  })

  test('let no address be tried that is denied, in whatever order and number a lookup tells them', () => {
    fc.assert(
      fc.property(fc.array(address), rules, fc.boolean(), (addresses, options, all) => {
        const guard = guardOf(options)
        let tried: readonly string[] = []
        const lookup: LookupFunction = (_name, _options, callback) =>
          callback(
            null,
            addresses.map((one) => ({ address: one, family: isIPv4(one) ? 4 : 6 })),
          )
        const open = vettedOpen(guard, lookup, (look) => (target) => {
          look(target.hostname, { all }, (error, found) => {
            if (error === null) tried = typeof found === 'string' ? [found] : found.map((one) => one.address)
          })
        })
        const target = { protocol: 'http:', hostname: 'a.example', port: '' }
        open(target, () => {})
        const admitted = addresses.filter((one) => guard.admits(target, one))
        expect(tried).toEqual(all ? admitted : admitted.slice(0, 1))
      }),
    )
  })
})

import { isIP } from 'node:net'

/** An IP address as a number of 128 bits; one of IPv4 as IPv6 maps it (RFC 4291 §2.5.5.2), so that both forms are equal. */
export type Address = bigint

/** The addresses that begin with the same bits as `base`. */
export interface Block {
  readonly base: Address
  readonly bits: number
}

const ipv6Bits = 16 * 8
const low32 = 0xffff_ffffn
const mapped = 0xffffn << 32n

/** The host of a URL as it is looked up: without brackets, and without the dot of the root at its end. */
export function canonicalHost(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname.replace(/\.+$/, '')
}

/** The address in text, its zone (RFC 4007 §11) aside; undefined for what is none. */
export function parseAddress(text: string): Address | undefined {
  const [address = ''] = text.split('%', 1)
  const family = isIP(address)
  return family === 0 ? undefined : family === 4 ? mapped | ipv4(address) : ipv6(address)
}

function ipv4(text: string): bigint {
  return text.split('.').reduce((address, octet) => (address << 8n) | BigInt(octet), 0n)
}

function ipv6(text: string): bigint {
  const [head = '', tail = ''] = text.split('::')
  const left = groups(head)
  const right = groups(tail)
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0n)
  return [...left, ...zeros, ...right].reduce((address, group) => (address << 16n) | group, 0n)
}

function groups(text: string): bigint[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)]
    const last = ipv4(group)
    return [last >> 16n, last & 0xffffn]
  })
}

/** The address as text: IPv4 in its dotted form, IPv6 as RFC 5952 has it. */
export function addressText(address: Address): string {
  if (isIpv4(address)) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.')
  const hex = address
    .toString(16)
    .padStart(32, '0')
    .replace(/.{4}(?=.)/g, '$&:')
  return canonicalHost(new URL(`http://[${hex}]`).hostname)
}

/** A CIDR block, or an address as the block of itself; undefined for what is neither, or has bits beyond its prefix. */
export function parseBlock(text: string): Block | undefined {
  const [address = '', prefix, ...more] = text.split('/')
  const base = address.includes('%') ? undefined : parseAddress(address)
  if (base === undefined || more.length > 0) return undefined
  const width = address.includes(':') ? ipv6Bits : 32
  const length = prefix === undefined ? width : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN
  if (!(length <= width)) return undefined
  const bits = length + (ipv6Bits - width)
  return prefixOf(base, bits) << BigInt(ipv6Bits - bits) === base ? { base, bits } : undefined
}

/** Whether the address is in the block. A block of IPv6 that is wider than all of IPv4, such as `::/0`, is of IPv6 alone. */
export function covers({ base, bits }: Block, address: Address): boolean {
  return prefixOf(base, bits) === prefixOf(address, bits) && (bits >= 96 || !isIpv4(address))
}

function prefixOf(address: Address, bits: number): bigint {
  return address >> BigInt(ipv6Bits - bits)
}

function isIpv4(address: Address): boolean {
  return address >> 32n === 0xffffn
}

/** The IPv4 addresses that an address of IPv6 leads to by translation or a tunnel. */
export function embedded(address: Address): Address[] {
  const at = (shift: bigint): Address => mapped | ((address >> shift) & low32)
  const high = address >> 32n
  const found: Address[] = []
  // NAT64 (RFC 6052), with the local prefix of RFC 8215; SIIT (RFC 2765); IPv4-compatible (RFC 4291 §2.5.5.1).
  if (high === 0x64_ff9bn << 64n || address >> 80n === 0x64_ff9b_0001n || high === 0xffff_0000n) found.push(at(0n))
  if (high === 0n && address > 1n) found.push(at(0n))
  // 6to4 (RFC 3056), ISATAP (RFC 5214 §6.1).
  if (address >> 112n === 0x2002n) found.push(at(80n))
  if ((high & 0xfdff_ffffn) === 0x5efen) found.push(at(0n))
  // Teredo (RFC 4380 §4): the server, and the client with its bits inverted.
  if (address >> 96n === 0x2001_0000n) found.push(at(64n), mapped | (~address & low32))
  return found
}

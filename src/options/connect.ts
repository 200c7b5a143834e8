import { isIP } from 'node:net'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { redactError } from '../errors/redact-error.ts'
import { redactText } from '../errors/redact-text.ts'
import { bare, checkFlag, checkFunction, checkKeys, checkNumber, checkOneOf, given, invalidOption } from '../policy/checks.ts'
import type { ClientOptions, ResolvedOptions } from '../types/options.ts'
import type { ConnectOptions, Connector, ConnectorCallback, ResolvedConnect } from '../types/transport.ts'

type Check = (owner: string, name: string, value: unknown) => void
type Name = keyof ConnectOptions

/** What a TLS context is made of; the rest is said anew at each connection. */
const contextNames = new Set<string>([
  'ca',
  'cert',
  'key',
  'passphrase',
  'pfx',
  'crl',
  'ciphers',
  'ecdhCurve',
  'sigalgs',
  'minVersion',
  'maxVersion',
] satisfies Name[])

const versions = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1']
const flag: Check = checkFlag
const count: Check = (owner, name, value) => checkNumber(owner, name, value, { min: 0, integer: true })
const version: Check = (owner, name, value) => checkOneOf(owner, name, value, versions)

const checks: Readonly<Record<Name, Check>> = {
  ca: pem,
  cert: pem,
  key: pem,
  pfx: pem,
  crl: pem,
  passphrase: secretText,
  ciphers: text,
  ecdhCurve: text,
  sigalgs: text,
  minVersion: version,
  maxVersion: version,
  servername: text,
  rejectUnauthorized: flag,
  checkServerIdentity: checkFunction,
  allowH2: flag,
  socketPath: text,
  localAddress: address,
  family,
  autoSelectFamily: flag,
  autoSelectFamilyAttemptTimeout: (owner, name, value) => checkNumber(owner, name, value, { min: 10, integer: true }),
  lookup: checkFunction,
  keepAlive: flag,
  keepAliveInitialDelay: count,
  maxCachedSessions: count,
}

/**
 * The `connect` of a client: its own, or that of its parent. What it resolves to is never shared by accident: its identity
 * is that of the connections.
 *
 * @throws TypeError naming the option, and the value unless that is a secret.
 */
export function resolveConnect(owner: string, parent: ResolvedOptions, own: ClientOptions): ResolvedConnect | undefined {
  const { connect } = own
  if (connect === undefined) return parent.connect
  for (const other of ['dispatcher', 'transport'] as const) {
    if ((own[other] ?? parent[other]) !== undefined) {
      throw new TypeError(`${owner}: connect and ${other} cannot both be given: a ${other} opens its own connections`)
    }
  }
  if (typeof connect === 'function') return distinct(connect)
  if (typeof connect !== 'object' || connect === null) {
    throw invalidOption(owner, 'connect', 'an object of connection options or a function', connect)
  }
  return resolvedOptions(owner, connect)
}

function distinct(connector: Connector): Connector {
  // undici's connectors return their socket, which lets a connect that takes too long be ended at once.
  return (target, callback: ConnectorCallback): unknown => connector(target, callback)
}

function resolvedOptions(owner: string, connect: ConnectOptions): ResolvedConnect {
  checkKeys(`${owner}: connect`, connect, Object.keys(checks))
  const members = Object.entries(given(connect))
  for (const [name, value] of members) checks[name as Name](owner, `connect.${name}`, value)
  const context = members.filter(([name]) => contextNames.has(name))
  const rest = bare(Object.fromEntries(members.filter(([name]) => !contextNames.has(name))))
  if (context.length === 0) return rest
  return Object.assign(rest, { secureContext: contextOf(owner, bare(Object.fromEntries(context))) })
}

/** Made once for all connections; what OpenSSL cannot read is told now, and not at the first request. */
function contextOf(owner: string, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const names = Object.keys(options).join(', ')
    throw new TypeError(`${owner}: connect cannot be used for TLS (${names}): ${code ?? redactText(message)}`, {
      cause: redactError(error),
    })
  }
}

function text(owner: string, name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw invalidOption(owner, name, 'a string that is not empty', value)
}

/** Its value is never shown. */
function secretText(owner: string, name: string, value: unknown): void {
  if (typeof value !== 'string') throw new TypeError(`${owner}: ${name} must be a string, got a ${typeof value}`)
}

/** A certificate, a key or a list of them; a key of a list may have a passphrase of its own. Its value is never shown. */
function pem(owner: string, name: string, value: unknown): void {
  const binary = name === 'connect.pfx'
  for (const item of Array.isArray(value) ? value : [value]) {
    const { pem: key, buf: pfx } = Object(item) as { pem?: unknown; buf?: unknown }
    const content = Array.isArray(value) ? (key ?? pfx ?? item) : item
    if (binary ? isContent(content) : isContent(content) && textOf(content).includes('-----BEGIN ')) continue
    const demand = binary ? 'the content of a PKCS #12 file' : 'PEM text, not the path of a file'
    throw new TypeError(`${owner}: ${name} must be ${demand}, a string or a Buffer, or a list of them, got a ${typeof content}`)
  }
}

function isContent(value: unknown): value is string | NodeJS.ArrayBufferView {
  return typeof value === 'string' || ArrayBuffer.isView(value)
}

function textOf(content: string | NodeJS.ArrayBufferView): string {
  if (typeof content === 'string') return content
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1')
}

function address(owner: string, name: string, value: unknown): void {
  if (typeof value !== 'string' || isIP(value) === 0) throw invalidOption(owner, name, 'an IP address', value)
}

function family(owner: string, name: string, value: unknown): void {
  if (value !== 0 && value !== 4 && value !== 6) throw invalidOption(owner, name, '0, 4 or 6', value)
}

import { buildConnector } from 'undici'
import { describe, expect, test } from 'vitest'
import { type ConnectOptions, type Connector, createFetch } from '../../src/index.ts'
import { scripted } from '../support/scripted-transport.ts'
import { pem } from '../support/tls.ts'

const refusal = (make: () => unknown): string => {
  try {
    make()
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}

describe('the option connect', () => {
  const wrong: [string, unknown, string][] = [
    ['connect', 1, 'got 1'],
    ['connect', null, 'got object'],
    ['connect', 'unix:/a', 'got "unix:/a"'],
    ['connect.allowH2', { allowH2: 1 }, 'true or false, got 1'],
    ['connect.rejectUnauthorized', { rejectUnauthorized: 'no' }, 'true or false, got "no"'],
    ['connect.socketPath', { socketPath: '' }, 'a string that is not empty, got ""'],
    ['connect.servername', { servername: 5 }, 'got 5'],
    ['connect.localAddress', { localAddress: 127 }, 'got 127'],
    ['connect.localAddress', { localAddress: 'here' }, 'an IP address, got "here"'],
    ['connect.family', { family: 5 }, '0, 4 or 6, got 5'],
    ['connect.autoSelectFamily', { autoSelectFamily: 'yes' }, 'true or false, got "yes"'],
    ['connect.autoSelectFamilyAttemptTimeout', { autoSelectFamilyAttemptTimeout: 1 }, 'at least 10, got 1'],
    ['connect.keepAlive', { keepAlive: 5 }, 'true or false, got 5'],
    ['connect.keepAliveInitialDelay', { keepAliveInitialDelay: -1 }, 'at least 0, got -1'],
    ['connect.maxCachedSessions', { maxCachedSessions: 1.5 }, 'got 1.5'],
    ['connect.minVersion', { minVersion: 'SSLv3' }, 'got "SSLv3"'],
    ['connect.lookup', { lookup: '127.0.0.1' }, 'a function, got "127.0.0.1"'],
    ['connect.checkServerIdentity', { checkServerIdentity: false }, 'a function, got false'],
    ['connect.ca', { ca: 1 }, 'got a number'],
    ['connect.ca', { ca: [pem('ca'), 1] }, 'got a number'],
    ['connect.key', { key: [{ key: 'a' }] }, 'got a object'],
    ['connect.ca', { ca: '/etc/ssl/ca.pem' }, 'got a string'],
    ['connect.cert', { cert: Buffer.from('no certificate') }, 'got a object'],
    ['connect.pfx', { pfx: 1 }, 'got a number'],
    ['connect.passphrase', { passphrase: 12345 }, 'got a number'],
  ]
  test.each(wrong)('%s of %j is refused when the client is made', (name, connect, end) => {
    for (const make of [
      () => createFetch({ connect: connect as ConnectOptions }),
      () => createFetch().extend({ connect: connect as ConnectOptions }),
    ]) {
      const message = refusal(make)
      expect(message).toMatch(/^(?:createFetch|extend): /)
      expect(message).toContain(`${name} must be `)
      expect(message).toContain(end)
    }
  })

  test.each(['timeout', 'host', 'port', 'path', 'ALPNProtocols', 'socket', 'sni'])('does not know %s', (name) => {
    expect(refusal(() => createFetch({ connect: { [name]: 1 } as ConnectOptions }))).toContain(
      `createFetch: connect: unknown option "${name}"`,
    )
  })

  test('is refused with what opens its own connections, of the client or of its parent', () => {
    const { transport } = scripted(() => 0, new Response())
    const dispatcher = { dispatch: () => true }
    for (const other of [{ transport }, { dispatcher }]) {
      const [name] = Object.keys(other)
      const message = `connect and ${name} cannot both be given: a ${name} opens its own connections`
      expect(refusal(() => createFetch({ connect: {}, ...other }))).toBe(`createFetch: ${message}`)
      expect(refusal(() => createFetch(other).extend({ connect: {} }))).toBe(`extend: ${message}`)
    }
  })

  test('of a parent gives way to a transport or a dispatcher of its child', async () => {
    const { transport, sent } = scripted(() => 0, new Response('from the transport'))
    const api = createFetch({ connect: { socketPath: '/nowhere' } }).extend({ transport })
    expect(await (await api('http://api.test/')).text()).toBe('from the transport')
    expect(sent).toHaveLength(1)
  })

  test('tells at once of certificates and keys that cannot be read, and shows nothing of them', () => {
    const broken = pem('server-key').replace(/\n(.{20})/, '\nAAAAAAAAAAAAAAAAAAAA')
    for (const connect of [
      { cert: pem('client'), key: broken },
      { cert: pem('client'), key: pem('server-key') },
      { pfx: Buffer.from('no pfx'), passphrase: 'a secret word' },
    ]) {
      const message = refusal(() => createFetch({ connect }))
      expect(message).toContain('connect cannot be used for TLS')
      expect(message).not.toMatch(/secret|PRIVATE|AAAA/)
    }
  })

  test('is read as own properties only', () => {
    const inherited = Object.create({ socketPath: 1, unknown: true }) as ConnectOptions
    expect(() => createFetch({ connect: inherited })).not.toThrow()
  })

  test('takes what tls.connect takes', () => {
    const key = pem('client-key')
    for (const connect of [
      {},
      { ca: [pem('ca'), Buffer.from(pem('other-ca'))], cert: pem('client'), key: Buffer.from(key) },
      { cert: pem('client'), key: [{ pem: key, passphrase: 'unused' }] },
      { allowH2: undefined, family: 4, localAddress: '127.0.0.1', keepAlive: false, maxCachedSessions: 0 },
      { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
    ] as ConnectOptions[]) {
      expect(() => createFetch({ connect })).not.toThrow()
    }
  })

  test('takes every connector of undici', () => {
    const connector: Connector = buildConnector({ allowH2: false })
    expect(() => createFetch({ connect: connector })).not.toThrow()
  })
})

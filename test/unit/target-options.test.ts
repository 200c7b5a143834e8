import { Agent } from 'undici'
import { describe, expect, test } from 'vitest'
import { shownValue } from '../../src/errors/redact-text.ts'
import { createFetch, publicOnly, type TargetOptions } from '../../src/index.ts'
import { clientOf, rejection } from '../support/client.ts'
import { reply, scripted } from '../support/scripted-transport.ts'

const refusal = (make: () => unknown): string => {
  try {
    make()
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}

describe('the option targets', () => {
  const wrong: [string, unknown, string][] = [
    ['targets must be', null, 'got object'],
    ['targets must be', true, 'got true'],
    ['targets must be', 'private', 'got "private"'],
    ['targets must be', ['private'], 'got object'],
    ['targets: unknown option "block"', { block: [] }, 'allow, deny, schemes, ports, unseen'],
    ['targets.deny must be a list', { deny: 'private' }, 'got "private"'],
    ['targets.allow must be a list', { allow: new Set(['a.example']) }, 'got object'],
    ['targets.schemes must be', { schemes: ['https:'] }, 'got "https:"'],
    ['targets.schemes must be a list', { schemes: 'https' }, 'got "https"'],
    ['targets.ports must be', { ports: ['443'] }, 'got "443"'],
    ['targets.ports must be', { ports: [0] }, 'got 0'],
    ['targets.ports must be', { ports: [65_536] }, 'got 65536'],
    ['targets.unseen must be', { unseen: 'allow' }, 'got "allow"'],
  ]
  test.each(wrong)('%s, or the client is not made: %j', (beginning, targets, end) => {
    for (const make of [
      () => createFetch({ targets: targets as TargetOptions }),
      () => createFetch().extend({ targets: targets as TargetOptions }),
    ]) {
      const message = refusal(make)
      expect(message).toMatch(/^(?:createFetch|extend): /)
      expect(message).toContain(beginning)
      expect(message).toContain(end)
    }
  })

  test.each([
    '',
    'privat',
    'Private',
    'loopback:80',
    'private.',
    'db',
    '*',
    '*.',
    '*.*.example.com',
    'a.*.example.com',
    '*.10.0.0.1',
    '*.[::1]',
    'https://example.com',
    'http://10.0.0.1/',
    'example.com/path',
    'user@example.com',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'example.com:http',
    'exa mple.com',
    'ex%61mple.com',
    '10.0.0.0/33',
    '10.0.0.0/8:80',
    '10.0.0.1/8',
    '256.0.0.1',
    '1.2.3.4.5',
    '[::1',
    '[::1]x',
    ':80',
    '::1]',
    'fe80::1%eth0',
    'fe80::/129',
  ])('%j is no rule', (rule) => {
    for (const name of ['allow', 'deny']) {
      const message = refusal(() => createFetch({ targets: { [name]: ['example.com', rule] } }))
      expect(message).toContain(`createFetch: targets.${name}[1] must be a host, `)
      // What stands in the wrong place may be a secret, and is described then; the place is told.
      expect(message).toContain(`got ${shownValue(rule)}`)
    }
  })

  test.each([1, null, undefined, {}, /a/])('%j is no rule either', (rule) => {
    expect(refusal(() => createFetch({ targets: { deny: [rule as string] } }))).toContain('targets.deny[0] must be a host, ')
  })

  test('is an option of a client, not of a call', async () => {
    const { fetch, sent } = clientOf([reply(200)])
    const init = { targets: publicOnly } as RequestInit
    expect(String(await rejection(fetch('http://127.0.0.1/', init)))).toContain('targets is an option of a client')
    expect(sent).toEqual([])
  })

  test('is not taken from a prototype, nor changed by whoever gave it', async () => {
    const deny = ['a.example']
    const targets: TargetOptions = { deny, unseen: 'unchecked' }
    const { fetch, sent } = clientOf([reply(200)], { targets })
    deny.pop()
    Object.assign(targets, { deny: [] })
    expect(await rejection(fetch('http://a.example/'))).toMatchObject({ kind: 'target forbidden' })
    expect(sent).toEqual([])
    const inherited = Object.create({ allow: ['*.example'], unseen: 'unchecked' }) as TargetOptions
    expect(
      refusal(() => createFetch({ targets: Object.assign(inherited, { deny: ['private'] }), transport: async () => reply(200) })),
    ).toContain('cannot be checked with transport')
  })
})

describe('a child', () => {
  const unchecked = { unseen: 'unchecked' } as const

  test('has the rules of its parent, and may add some', async () => {
    const { fetch, sent } = clientOf([reply(200)], { targets: { deny: ['a.example'], ...unchecked } })
    const child = fetch.extend({ targets: { allow: ['*.example'], ...unchecked } })
    const grandchild = child
      .extend({ maxAttempts: 1 })
      .extend({ targets: { allow: ['a.example', 'b.example', 'c.test'], ...unchecked } })
    for (const api of [fetch, child, grandchild]) {
      expect(await rejection(api('http://a.example/'))).toMatchObject({ kind: 'target forbidden' })
      await api('http://b.example/')
    }
    await fetch('http://c.test/')
    for (const api of [child, grandchild]) {
      expect(await rejection(api('http://c.test/'))).toMatchObject({ kind: 'target forbidden' })
    }
    await child('http://d.example/')
    expect(await rejection(grandchild('http://d.example/'))).toMatchObject({ kind: 'target forbidden' })
    expect(sent).toHaveLength(5)
  })

  test('cannot take the rules of its parent away, nor their check', () => {
    const parent = createFetch({ targets: publicOnly })
    expect(refusal(() => parent.extend({ targets: false }))).toBe(
      'extend: targets cannot be false: a child has the rules of its parent at least',
    )
    expect(() => createFetch({ targets: false }).extend({ targets: false })).not.toThrow()
    const { transport } = scripted(() => 0, reply(200))
    for (const targets of [undefined, { unseen: 'unchecked' }, { ...publicOnly, unseen: 'unchecked' }] as const) {
      expect(refusal(() => parent.extend({ transport, ...(targets && { targets }) }))).toContain('with transport')
    }
  })
})

describe('where the address that is connected to is not seen', () => {
  const { transport } = scripted(() => 0, reply(200))
  const dispatcher = new Agent()

  test('rules about addresses are refused when the client is made', () => {
    for (const targets of [publicOnly, { deny: ['10.0.0.0/8'] }, { allow: ['10.0.0.1'] }, { deny: [() => false] }]) {
      expect(refusal(() => createFetch({ targets, transport }))).toMatch(
        /^createFetch: targets cannot be checked with transport: /,
      )
      expect(refusal(() => createFetch({ targets }).extend({ dispatcher }))).toMatch(
        /^extend: targets cannot .* with dispatcher: /,
      )
      expect(refusal(() => createFetch({ transport }).extend({ targets }))).toMatch(/^extend: targets cannot .* with transport: /)
      const own = { ...targets, unseen: 'own' } as const
      expect(refusal(() => createFetch({ targets: own, dispatcher }))).toContain('with dispatcher')
      expect(() => createFetch({ targets: { ...targets, unseen: 'unchecked' }, transport })).not.toThrow()
    }
  })

  test('rules about names, schemes and ports need none', async () => {
    const targets = { allow: ['*.example'], deny: ['local-names', 'a.example'], ports: [80], schemes: ['http'] } as const
    const { fetch, sent } = clientOf([reply(200)], { targets })
    await fetch('http://b.example/')
    expect(await rejection(fetch('http://a.example/'))).toMatchObject({ kind: 'target forbidden' })
    expect(sent).toHaveLength(1)
  })

  test('a Unix socket has none at all', () => {
    const connect = { socketPath: '/var/run/docker.sock' }
    expect(refusal(() => createFetch({ connect, targets: publicOnly }))).toContain('with connect.socketPath')
    expect(refusal(() => createFetch({ connect }).extend({ targets: publicOnly }))).toContain('with connect.socketPath')
    expect(() => createFetch({ connect, targets: { ...publicOnly, unseen: 'unchecked' } })).not.toThrow()
    expect(() => createFetch({ connect, targets: { allow: ['localhost'] } })).not.toThrow()
  })
})

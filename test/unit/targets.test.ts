import { describe, expect, test } from 'vitest'
import {
  type ClientOptions,
  createFetch,
  publicOnly,
  RefusedError,
  type TargetInput,
  type TargetOptions,
  traceOf,
} from '../../src/index.ts'
import { clientOf, rejection } from '../support/client.ts'
import { reply } from '../support/scripted-transport.ts'

/** A client whose transport answers everything; what it connects to is not seen. */
const guarded = (targets: TargetOptions, options: ClientOptions = {}): ReturnType<typeof clientOf> =>
  clientOf([reply(200)], { targets: { unseen: 'unchecked', ...targets }, ...options })

/** What becomes of a call: `'sent'`, or what is at fault. */
async function fateOf(target: string, targets: TargetOptions): Promise<string> {
  const { fetch, sent } = guarded(targets)
  const error = await fetch(target).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(sent).toHaveLength(error === undefined ? 1 : 0)
  if (error === undefined) return 'sent'
  if (!(error instanceof RefusedError)) return 'invalid'
  expect(error).toMatchObject({ kind: 'target forbidden', code: 'ERR_STEADFETCH_REFUSED_TARGET_FORBIDDEN', attempts: 0 })
  expect(error.retryable).toBe(false)
  return /its (\w+) is not/.exec(error.message)?.[1] as string
}

describe('publicOnly', () => {
  const verdicts: [target: string, fate: string][] = [
    ['http://example.com/', 'sent'],
    ['https://example.com:8443/', 'sent'],
    ['http://example.com./', 'sent'],
    ['http://1.1.1.1/', 'sent'],
    ['http://8.8.8.8:8080/', 'sent'],
    ['http://[2606:4700:4700::1111]/', 'sent'],
    ['http://[::ffff:1.1.1.1]/', 'sent'],
    ['http://[64:ff9b::1.1.1.1]/', 'sent'],
    ['http://172.15.255.255/', 'sent'],
    ['http://172.32.0.0/', 'sent'],
    ['http://localhost.example.com/', 'sent'],
    ['http://127.0.0.1.example.com/', 'sent'],
    ['http://10.example/', 'sent'],
    ['http://127.0.0.1/', 'address'],
    ['http://127.255.255.254/', 'address'],
    ['http://127.0.0.1:8080/', 'address'],
    ['https://127.0.0.1/', 'address'],
    ['HTTP://127.0.0.1/', 'address'],
    ['http://127.0.0.1./', 'address'],
    ['http://127.1/', 'address'],
    ['http://127.0.1/', 'address'],
    ['http://0177.1/', 'address'],
    ['http://0177.0.0.01/', 'address'],
    ['http://0x7f.1/', 'address'],
    ['http://0X7F.0.0.1/', 'address'],
    ['http://0x7f000001/', 'address'],
    ['http://2130706433/', 'address'],
    ['http://017700000001/', 'address'],
    ['http://１２７.０.０.１/', 'address'],
    ['http://127。0。0。1/', 'address'],
    ['http://①②⑦.⓪.⓪.①/', 'address'],
    ['http://%31%32%37.0.0.1/', 'address'],
    ['http://127.0.0.1%2e/', 'address'],
    ['http:\\\\127.0.0.1\\', 'address'],
    ['http:127.0.0.1', 'address'],
    ['  http://127.0.0.1/\n', 'address'],
    ['http://0/', 'address'],
    ['http://0.0.0.0/', 'address'],
    ['http://0x0/', 'address'],
    ['http://10.0.0.1/', 'address'],
    ['http://0xa000001/', 'address'],
    ['http://172.16.0.1/', 'address'],
    ['http://172.31.255.255/', 'address'],
    ['http://192.168.1.1/', 'address'],
    ['http://3232235777/', 'address'],
    ['http://100.64.0.1/', 'address'],
    ['http://100.100.100.200/', 'address'],
    ['http://169.254.169.254/latest/meta-data/', 'address'],
    ['http://0xa9fea9fe/', 'address'],
    ['http://2852039166/', 'address'],
    ['http://0251.0376.0251.0376/', 'address'],
    ['http://168.63.129.16/', 'address'],
    ['http://192.0.0.8/', 'address'],
    ['http://192.0.2.1/', 'address'],
    ['http://192.88.99.1/', 'address'],
    ['http://198.18.0.1/', 'address'],
    ['http://198.19.255.255/', 'address'],
    ['http://198.51.100.1/', 'address'],
    ['http://203.0.113.1/', 'address'],
    ['http://224.0.0.1/', 'address'],
    ['http://239.255.255.255/', 'address'],
    ['http://240.0.0.1/', 'address'],
    ['http://255.255.255.255/', 'address'],
    ['http://[::1]/', 'address'],
    ['http://[0:0:0:0:0:0:0:1]/', 'address'],
    ['http://[::]/', 'address'],
    ['http://[::ffff:127.0.0.1]/', 'address'],
    ['http://[::ffff:7f00:1]/', 'address'],
    ['http://[::FFFF:A00:1]/', 'address'],
    ['http://[::127.0.0.1]/', 'address'],
    ['http://[::8.8.8.8]/', 'address'],
    ['http://[::ffff:0:127.0.0.1]/', 'address'],
    ['http://[64:ff9b::127.0.0.1]/', 'address'],
    ['http://[64:ff9b::a00:1]/', 'address'],
    ['http://[64:ff9b::169.254.169.254]/', 'address'],
    ['http://[64:ff9b:1::1.1.1.1]/', 'address'],
    ['http://[2002:7f00:1::]/', 'address'],
    ['http://[2002:101:101::1]/', 'address'],
    ['http://[2001::f5ff:fffe]/', 'address'],
    ['http://[2001:db8::1]/', 'address'],
    ['http://[2606::5efe:10.0.0.1]/', 'address'],
    ['http://[3fff::1]/', 'address'],
    ['http://[5f00::1]/', 'address'],
    ['http://[100::1]/', 'address'],
    ['http://[fc00::1]/', 'address'],
    ['http://[fd00:ec2::254]/', 'address'],
    ['http://[fe80::1]/', 'address'],
    ['http://[fec0::1]/', 'address'],
    ['http://[ff02::1]/', 'address'],
    ['http://localhost/', 'host'],
    ['http://LOCALHOST/', 'host'],
    ['http://localhost./', 'host'],
    ['http://ｌｏｃａｌｈｏｓｔ/', 'host'],
    ['http://ⓛocalhost/', 'host'],
    ['http://local%68ost/', 'host'],
    ['http://a.b.localhost/', 'host'],
    ['http://printer.local/', 'host'],
    ['http://db.internal:5432/', 'host'],
    ['http://metadata.google.internal/', 'host'],
    ['http://METADATA.google.internal./', 'host'],
    ['http://metadata.goog/', 'host'],
    ['http://router.home.arpa/', 'host'],
    ['http://redis/', 'host'],
    ['http://bücher/', 'host'],
    ['data:text/plain,hello', 'scheme'],
    ['blob:http://example.com/1', 'scheme'],
    ['http://[fe80::1%25eth0]/', 'invalid'],
    ['http://[::1%25lo]/', 'invalid'],
    ['http://256.0.0.1/', 'invalid'],
    ['http://127.0.0.1.1.1/', 'invalid'],
    ['http://0x100000000/', 'invalid'],
    ['http://user@127.0.0.1/', 'invalid'],
    ['file:///etc/passwd', 'invalid'],
    ['gopher://127.0.0.1/', 'invalid'],
  ]
  test.each(verdicts)('%s is %s', async (target, fate) => expect(await fateOf(target, publicOnly)).toBe(fate))

  test('denies every set, and cannot be changed by whoever imports it', () => {
    expect(publicOnly.deny).toHaveLength(11)
    expect(() => (publicOnly.deny as string[]).pop()).toThrow(TypeError)
    expect(() => Object.assign(publicOnly, { deny: [] })).toThrow(TypeError)
  })

  test('goes without one of its sets, for a server on the same machine', async () => {
    const targets = { deny: publicOnly.deny.filter((set) => set !== 'loopback' && set !== 'local-names') }
    expect(await fateOf('http://127.0.0.1:3000/', targets)).toBe('sent')
    expect(await fateOf('http://localhost:3000/', targets)).toBe('sent')
    expect(await fateOf('http://10.0.0.1:3000/', targets)).toBe('address')
  })
})

describe('rules', () => {
  const some: [rules: TargetOptions, target: string, fate: string][] = [
    [{ deny: ['example.com'] }, 'http://EXAMPLE.com./', 'host'],
    [{ deny: ['EXAMPLE.com.'] }, 'https://example.com/', 'host'],
    [{ deny: ['example.com'] }, 'http://www.example.com/', 'sent'],
    [{ deny: ['*.example.com'] }, 'http://a.b.example.com/', 'host'],
    [{ deny: ['*.example.com'] }, 'http://example.com/', 'sent'],
    [{ deny: ['*.example.com'] }, 'http://badexample.com/', 'sent'],
    [{ deny: ['bücher.example'] }, 'http://xn--bcher-kva.example/', 'host'],
    [{ deny: ['example.com:8080'] }, 'http://example.com/', 'sent'],
    [{ deny: ['example.com:8080'] }, 'http://example.com:8080/', 'host'],
    [{ deny: ['example.com:443'] }, 'https://example.com/', 'host'],
    [{ deny: ['*.example.com:80'] }, 'http://a.example.com/', 'host'],
    [{ deny: ['db.'] }, 'http://db/', 'host'],
    [{ deny: ['db:5432'] }, 'http://db:5432/', 'host'],
    [{ deny: ['localhost'] }, 'http://localhost/', 'host'],
    [{ deny: ['10.1.2.3'] }, 'http://10.1.2.3/', 'address'],
    [{ deny: ['10.1.2.3:80'] }, 'http://10.1.2.3:81/', 'sent'],
    [{ deny: ['10.1.2.3:80'] }, 'http://[::ffff:10.1.2.3]/', 'address'],
    [{ deny: ['0x0a.1.2.3'] }, 'http://10.1.2.3/', 'address'],
    [{ deny: ['::1'] }, 'http://[::1]:8080/', 'address'],
    [{ deny: ['[::1]:80'] }, 'http://[::1]/', 'address'],
    [{ deny: ['[::1]:80'] }, 'http://[::1]:81/', 'sent'],
    [{ deny: ['10.0.0.0/8'] }, 'http://10.255.0.1/', 'address'],
    [{ deny: ['10.0.0.0/8'] }, 'http://[64:ff9b::10.0.0.1]/', 'address'],
    [{ deny: ['10.0.0.0/8'] }, 'http://[2002:a00:1::]/', 'address'],
    [{ deny: ['fd00::/8'] }, 'http://[fd12::1]/', 'address'],
    [{ deny: ['::/0'] }, 'http://1.1.1.1/', 'sent'],
    [{ deny: ['metadata'] }, 'http://169.254.169.254/', 'address'],
    [{ deny: ['metadata'] }, 'http://169.254.1.1/', 'sent'],
    [{ deny: ['metadata'] }, 'http://metadata.google.internal/', 'host'],
    [{ deny: ['private'] }, 'http://127.0.0.1/', 'sent'],
    [{ allow: ['example.com'] }, 'http://example.com/', 'sent'],
    [{ allow: ['example.com'] }, 'http://example.org/', 'host'],
    [{ allow: ['example.com'] }, 'http://1.1.1.1/', 'address'],
    [{ allow: ['*.example.com', '10.0.0.0/8'] }, 'http://10.0.0.1/', 'sent'],
    [{ allow: ['10.0.0.0/8'] }, 'http://[64:ff9b::10.0.0.1]/', 'address'],
    [{ allow: ['loopback'] }, 'http://127.0.0.1/', 'sent'],
    [{ allow: ['local-names'] }, 'http://db/', 'sent'],
    [{ allow: [] }, 'http://example.com/', 'host'],
    [{ allow: ['10.0.0.1'], deny: ['private'] }, 'http://10.0.0.1/', 'address'],
    [{ allow: ['a.example.com'], deny: ['*.example.com'] }, 'http://a.example.com/', 'host'],
    [{ ports: [443, 8443] }, 'https://example.com/', 'sent'],
    [{ ports: [443, 8443] }, 'https://example.com:8443/', 'sent'],
    [{ ports: [443, 8443] }, 'http://example.com/', 'port'],
    [{ schemes: ['https'] }, 'http://example.com/', 'scheme'],
    [{ schemes: ['https'] }, 'https://example.com/', 'sent'],
    [{}, 'http://127.0.0.1/', 'sent'],
    [{}, 'data:,x', 'scheme'],
  ]
  test.each(some)('%j: %s is %s', async (rules, target, fate) => expect(await fateOf(target, rules)).toBe(fate))

  test('functions are asked about each request, with the address where it is known', async () => {
    const asked: TargetInput[] = []
    const isDenied = (target: TargetInput): boolean => asked.push(target) > 0 && target.host === 'no.example'
    const { fetch, sent } = guarded({ deny: [isDenied] })
    await fetch('https://yes.example/')
    await fetch('https://yes.example/')
    await fetch('http://[::FFFF:1.2.3.4]:8080/')
    expect(await rejection(fetch('http://no.example/'))).toMatchObject({ kind: 'target forbidden', attempts: 0 })
    expect(sent).toHaveLength(3)
    expect(asked).toEqual([
      { scheme: 'https', host: 'yes.example', port: 443, address: undefined },
      { scheme: 'https', host: 'yes.example', port: 443, address: undefined },
      { scheme: 'http', host: '1.2.3.4', port: 8080, address: '1.2.3.4' },
      { scheme: 'http', host: 'no.example', port: 80, address: undefined },
    ])
  })

  test('what a function does not allow is not asked', async () => {
    const allow = [({ host }: TargetInput) => host === 'yes.example']
    expect(await fateOf('http://yes.example/', { allow })).toBe('sent')
    expect(await fateOf('http://no.example/', { allow })).toBe('host')
  })

  test('what a function throws ends the call as it is, and an answer that is none is a TypeError', async () => {
    const thrown = new Error('mine')
    const throwing = (): boolean => {
      throw thrown
    }
    const slow = (async () => false) as unknown as () => boolean
    for (const options of [{}, { cache: true }, { hedge: true }, { endpoints: ['http://a.example'] }]) {
      const { fetch, sent } = guarded({ deny: [throwing] }, options)
      expect(await rejection(fetch('http://a.example/'))).toBe(thrown)
      const other = guarded({ allow: [slow] }, options)
      expect(String(await rejection(other.fetch('http://a.example/')))).toContain('must return true or false at once')
      expect([...sent, ...other.sent]).toEqual([])
    }
  })
})

describe('a target that is forbidden', () => {
  test('is told without its address, and with the call', async () => {
    const { fetch } = guarded(publicOnly)
    const error = (await rejection(fetch('http://db.internal/a?token=1', { method: 'POST', body: 'x' }))) as RefusedError
    expect(error.message).toBe(
      'POST http://db.internal/a?token=*** failed: the target is forbidden: its host is not one that may be asked (0 attempts, 0 ms)',
    )
    expect(traceOf(error)?.attempts).toEqual([])
  })

  test('after a redirect is the same error, with the attempts so far, and the content of the redirect is given up', async () => {
    let cancelled = 0
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
      cancel: () => {
        cancelled += 1
      },
    })
    const { fetch, sent } = clientOf(
      [() => new Response(body, { status: 302, headers: { location: 'http://169.254.169.254/latest/' } })],
      { targets: { ...publicOnly, unseen: 'unchecked' } },
    )
    const error = await rejection(fetch('http://example.com/'))
    expect(error).toMatchObject({ kind: 'target forbidden', attempts: 1, request: { url: 'http://169.254.169.254/latest/' } })
    expect(sent).toHaveLength(1)
    expect(cancelled).toBe(1)
  })

  test.each(['location', 'operation-location'])('in the %s of accepted work is not polled', async (field) => {
    const { fetch, sent, clock } = clientOf([reply(202, { [field]: 'http://10.0.0.1/status', 'retry-after': '1' })], {
      targets: { ...publicOnly, unseen: 'unchecked' },
      on: { 202: 'poll' },
    })
    const call = clock.drive(rejection(fetch('http://example.com/')))
    expect(await call).toMatchObject({ kind: 'target forbidden', attempts: 1 })
    expect(sent).toHaveLength(1)
  })

  test('is refused before credentials are asked for, and counts against nobody', async () => {
    let refreshed = 0
    const { fetch, sent } = guarded(publicOnly, {
      breaker: { consecutiveFailures: 1 },
      throttle: true,
      hedge: true,
      concurrency: 1,
    })
    for (let call = 0; call < 50; call += 1) {
      const error = await rejection(
        fetch('http://10.0.0.1/', {
          on: {
            401: {
              kind: 'refresh',
              source: () => {
                refreshed += 1
                return {}
              },
            },
          },
        }),
      )
      expect(error).toMatchObject({ kind: 'target forbidden' })
    }
    expect(sent).toEqual([])
    expect(refreshed).toBe(0)
    expect(fetch.breaker('http://10.0.0.1').state).toBe('closed')
  })

  test('among endpoints is passed over, and the call fails when all are', async () => {
    const endpoints = ['http://10.0.0.1', 'http://api.example.com']
    const { fetch, sent } = guarded(publicOnly, { endpoints, random: () => 0 })
    for (let call = 0; call < 5; call += 1) await fetch('http://10.0.0.1/a')
    expect(sent.map(({ target }) => target)).toEqual(Array(5).fill('http://api.example.com/a'))
    const none = guarded(publicOnly, { endpoints: ['http://10.0.0.1', 'http://10.0.0.2'] })
    expect(await rejection(none.fetch('http://10.0.0.1/a'))).toMatchObject({ kind: 'target forbidden', attempts: 0 })
    expect(none.sent).toEqual([])
  })

  test('is not the name of the service that endpoints stand for', async () => {
    const { fetch, sent } = guarded(publicOnly, { baseUrl: 'http://orders.internal', endpoints: ['http://api.example.com'] })
    await fetch('a')
    expect(sent.map(({ target }) => target)).toEqual(['http://api.example.com/a'])
  })

  test('is not answered by what another client of the family keeps', async () => {
    const { fetch, sent } = clientOf([reply(200, { 'cache-control': 'public, max-age=60' }, 'secret')], { cache: true })
    const child = fetch.extend({ targets: { deny: ['private'], unseen: 'unchecked' } })
    await (await fetch('http://10.0.0.1/')).text()
    await (await fetch('http://name.example/')).text()
    expect(await rejection(child('http://10.0.0.1/'))).toMatchObject({ kind: 'target forbidden' })
    // What the name led to then may have been any address.
    await (await child('http://name.example/')).text()
    expect(sent).toHaveLength(3)
    // What was got under the same rules is for all that have them.
    await (await fetch.extend({ targets: { deny: ['private'], unseen: 'unchecked' } })('http://name.example/')).text()
    await (await fetch('http://name.example/')).text()
    expect(sent).toHaveLength(3)
  })

  test('does not join the request of a client that may ask more', async () => {
    let answer: ((response: Response) => void) | undefined
    const { fetch, sent } = clientOf([() => new Promise<Response>((resolve) => (answer = resolve))], { coalesce: true })
    const child = fetch.extend({ targets: { deny: ['private'], unseen: 'unchecked' } })
    const first = fetch('http://name.example/')
    expect(sent).toHaveLength(1)
    const second = child('http://name.example/')
    await Promise.resolve()
    expect(sent).toHaveLength(2)
    for (let index = 0; index < 2; index += 1) {
      answer?.(reply(200))
      await Promise.resolve()
    }
    void Promise.allSettled([first, second])
    expect(await rejection(child('http://10.0.0.1/'))).toMatchObject({ kind: 'target forbidden' })
  })

  test('is not asked by an upgrade', async () => {
    const api = createFetch({ targets: publicOnly })
    expect(await rejection(api.upgrade('http://127.0.0.1:81/', { protocol: 'echo' }))).toMatchObject({ kind: 'target forbidden' })
    await api.close()
  })
})

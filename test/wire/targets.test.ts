import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect as connectSocket, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { buildConnector } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  type ConnectOptions,
  type Connector,
  publicOnly,
  retry,
  type SteadFetch,
  type TargetInput,
  traceOf,
} from '../../src/index.ts'
import { named, names, trapAt } from '../support/names.ts'
import { httpServer, type LocalServer } from '../support/server.ts'
import { h2Server, httpsServer, trusting } from '../support/tls.ts'
import { caught, client, soon } from '../support/wire.ts'

/** In these tests 127.0.0.1 is what may be asked, and 127.0.0.2 what must not. */
const targets = { deny: ['127.0.0.2', '::1'] }
const forbidden = { kind: 'target forbidden', code: 'ERR_STEADFETCH_REFUSED_TARGET_FORBIDDEN', retryable: false }
/** A connection is free a moment after the content has been read. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))
const closing = (): Promise<LocalServer> =>
  httpServer((_request, response) => response.writeHead(200, { connection: 'close' }).end('public'))

describe('a name that leads to a forbidden address', () => {
  test('is refused without a connection, not asked again, and nobody is blamed', async () => {
    await using server = await closing()
    await using trap = await trapAt('127.0.0.2', server.origin)
    const { lookup, asked } = names(['127.0.0.2'])
    const api = client({
      targets,
      connect: { lookup },
      breaker: { consecutiveFailures: 1 },
      on: { network: retry({ maxAttempts: 5 }) },
    })
    const origin = named('evil.example', server.origin)
    const error = (await caught(api(origin))) as Error
    expect(error).toMatchObject({ ...forbidden, attempts: 1 })
    expect(error.message).toContain('failed: the target is forbidden: its address is not one that may be asked (1 attempt')
    expect(JSON.stringify([error.message, error, traceOf(error)]) + String(error.stack)).not.toContain('127.0.0.2')
    expect(error.cause).toBeUndefined()
    expect(traceOf(error)?.attempts).toMatchObject([{ error: forbidden.code }])
    expect(asked).toEqual(['evil.example'])
    expect(trap.connections).toEqual([])
    expect(api.breaker(origin).state).toBe('closed')
  })

  test('later than to an allowed one is refused then: the connection is new, and so is its address', async () => {
    await using server = await closing()
    await using trap = await trapAt('127.0.0.2', server.origin)
    const { lookup, asked } = names(['127.0.0.1'], ['127.0.0.2'])
    const api = client({ targets, connect: { lookup } })
    const origin = named('rebinding.example', server.origin)
    expect(await (await api(origin)).text()).toBe('public')
    expect(await caught(api(origin))).toMatchObject(forbidden)
    expect(asked).toHaveLength(2)
    expect(trap.connections).toEqual([])
  })

  test('is refused by a name that was let go as well, in the middle of the retries of a call', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(503, { connection: 'close' }).end())
    await using trap = await trapAt('127.0.0.2', server.origin)
    const { lookup } = names(['127.0.0.1'], ['127.0.0.2'])
    const api = client({ targets, connect: { lookup }, on: { 503: retry({ maxAttempts: 5, baseMs: 1, capMs: 5 }) } })
    const error = await caught(api(named('rebinding.example', server.origin)))
    expect(error).toMatchObject({ ...forbidden, attempts: 2 })
    expect(traceOf(error as Error)?.attempts).toMatchObject([{ status: 503 }, { error: forbidden.code }])
    expect(server.requests).toHaveLength(1)
    expect(trap.connections).toEqual([])
  })

  test('takes nothing of the retry budget: nothing was sent', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(503, { connection: 'close' }).end())
    const turns = Array.from({ length: 6 }, (_, turn) => [turn % 2 === 0 ? '127.0.0.1' : '127.0.0.2'])
    const { lookup } = names(...turns)
    const api = client({ targets, connect: { lookup }, retryBudget: { capacity: 5, retryCost: 5 } })
    for (let call = 0; call < 3; call += 1) {
      expect(await caught(api(named('rebinding.example', server.origin)))).toMatchObject({ ...forbidden, attempts: 2 })
    }
    expect(server.requests).toHaveLength(3)
  })

  test('is refused after a redirect, whose connection is free again', async () => {
    let to = ''
    await using server = await httpServer((_request, response) => response.writeHead(302, { location: to }).end('moved'))
    await using trap = await trapAt('127.0.0.2', server.origin)
    const { lookup, asked } = names(['127.0.0.2'])
    const api = client({ targets, connect: { lookup } })
    for (const target of [named('evil.example', server.origin), named('127.0.0.2', server.origin), 'http://[::1]:81/']) {
      to = target
      expect(await caught(api(server.origin))).toMatchObject(forbidden)
      await pause()
    }
    expect(asked).toEqual(['evil.example'])
    expect(server.connections).toHaveLength(1)
    expect(server.requests).toHaveLength(3)
    expect(trap.connections).toEqual([])
  })
})

describe('a name with several addresses', () => {
  const forms: [string, ConnectOptions, readonly string[]][] = [
    ['the first is forbidden', {}, ['127.0.0.2', '127.0.0.1']],
    ['the last is forbidden', {}, ['127.0.0.1', '127.0.0.2']],
    ['those of IPv6 are forbidden', {}, ['::1', '127.0.0.1']],
    ['the mapped form of one is forbidden', {}, ['::ffff:127.0.0.2', '127.0.0.1']],
    ['one is asked for', { autoSelectFamily: false }, ['127.0.0.2', '127.0.0.1']],
    ['those of IPv4 are asked for', { family: 4 }, ['127.0.0.2', '127.0.0.1']],
  ]
  test.each(forms)('is asked at those that are allowed where %s', async (_what, connect, addresses) => {
    await using server = await closing()
    await using trap = await trapAt('127.0.0.2', server.origin)
    await using other = await trapAt('::1', server.origin)
    const { lookup } = names(addresses)
    const api = client({ targets, connect: { lookup, ...connect } })
    expect(await (await api(named('mixed.example', server.origin))).text()).toBe('public')
    expect([...trap.connections, ...other.connections]).toEqual([])
  })

  test('does not fall back to one that is forbidden where the others do not answer', async () => {
    await using server = await closing()
    await using trap = await trapAt('127.0.0.2', server.origin)
    const { lookup } = names(['127.0.0.3', '127.0.0.2'])
    const api = client({ targets, connect: { lookup }, maxAttempts: 1 })
    expect(await caught(api(named('mixed.example', server.origin)))).toMatchObject({ name: 'NetworkError', kind: 'connect' })
    expect(trap.connections).toEqual([])
  })

  test('is refused where all are forbidden, whatever the lookup is able to tell', async () => {
    await using server = await closing()
    await using trap = await trapAt('127.0.0.2', server.origin)
    const origin = named('evil.example', server.origin)
    const api = client({ targets, connect: { lookup: names(['127.0.0.2', '::1', '::ffff:127.0.0.2']).lookup } })
    expect(await caught(api(origin))).toMatchObject(forbidden)
    const one = client({ targets, connect: { lookup: (_name, _options, callback) => callback(null, '127.0.0.2', 4) } })
    expect(await caught(one(origin))).toMatchObject(forbidden)
    const none = client({ targets, connect: { lookup: (_name, _options, callback) => callback(null, 'nonsense', 4) } })
    expect(await caught(none(origin))).toMatchObject(forbidden)
    expect(trap.connections).toEqual([])
    const allowed = client({ targets, connect: { lookup: (_name, _options, callback) => callback(null, '127.0.0.1', 4) } })
    expect(await (await allowed(origin)).text()).toBe('public')
  })

  test('that does not exist is a failure of the DNS', async () => {
    const failed = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
    const api = client({ targets, connect: { lookup: (_name, _options, callback) => callback(failed, '') }, maxAttempts: 1 })
    expect(await caught(api('http://none.example/'))).toMatchObject({ name: 'NetworkError', kind: 'dns' })
    for (const connect of [{}, { autoSelectFamily: false }]) {
      const empty = client({ targets, connect: { lookup: names([]).lookup, ...connect }, maxAttempts: 1 })
      expect(await caught(empty('http://none.example/'))).toMatchObject({ name: 'NetworkError', kind: 'dns' })
    }
  })

  test('is looked up as ever where none is given: localhost is what the machine says it is', async () => {
    await using server = await closing()
    const origin = named('localhost', server.origin)
    expect(await (await client({ targets: { deny: ['private', '::1'] } })(origin)).text()).toBe('public')
    expect(await caught(client({ targets: { deny: ['loopback'] } })(origin))).toMatchObject({ ...forbidden, attempts: 1 })
    expect(await caught(client({ targets: publicOnly })(origin))).toMatchObject({ ...forbidden, attempts: 0 })
    expect(server.requests).toHaveLength(1)
  })
})

describe('rules', () => {
  test('about a port and an address hold before the connection is opened', async () => {
    await using server = await httpsServer((_request, response) => response.end('public'))
    await using trap = await trapAt('127.0.0.2', server.origin)
    const { port } = new URL(server.origin)
    const connect = { ...trusting, lookup: names(['127.0.0.2']).lookup }
    const origin = named('localhost', server.origin)
    expect(await caught(client({ connect, targets: { deny: [`127.0.0.2:${port}`] } })(origin))).toMatchObject(forbidden)
    expect(trap.connections).toEqual([])
    const other = client({ connect, targets: { deny: ['127.0.0.2:1'] }, maxAttempts: 1 })
    expect(await caught(other(origin))).toMatchObject({ name: 'NetworkError' })
    expect(trap.connections).toHaveLength(1)
  })

  test('of addresses that are allowed hold for the address of a name', async () => {
    await using server = await closing()
    const connect = { lookup: names(['127.0.0.1'], ['127.0.0.3']).lookup }
    const api = client({ connect, targets: { allow: ['127.0.0.1/32', 'other.example'] } })
    expect(await (await api(named('a.example', server.origin))).text()).toBe('public')
    expect(await caught(api(named('a.example', server.origin)))).toMatchObject({ ...forbidden, attempts: 1 })
    expect(server.requests).toHaveLength(1)
  })

  test('about addresses of IPv6 hold for those in targets, which are connected to as ever', async () => {
    const server = createServer((_request, response) => response.end('public'))
    await new Promise<void>((resolve) => server.listen(0, '::1', resolve))
    onTestFinished(() => void server.close())
    const origin = `http://[::1]:${(server.address() as AddressInfo).port}`
    expect(await (await client({ targets: { deny: ['127.0.0.2'], allow: [new URL(origin).host] } })(origin)).text()).toBe(
      'public',
    )
    expect(await caught(client({ targets: { allow: ['[::1]:1'] } })(origin))).toMatchObject({ ...forbidden, attempts: 0 })
    const named6 = client({ targets: { deny: ['::1'] }, connect: { lookup: names(['::1']).lookup } })
    expect(await caught(named6(named('a.example', origin)))).toMatchObject({ ...forbidden, attempts: 1 })
  })

  test('that are functions are told the address, and what they throw then ends the call', async () => {
    await using server = await closing()
    const asked: TargetInput[] = []
    const thrown = new Error('mine')
    const deny = [
      (target: TargetInput): boolean => {
        asked.push(target)
        if (target.host === 'throwing.example' && target.address !== undefined) throw thrown
        return target.address === '127.0.0.1' && target.host === 'no.example'
      },
    ]
    const api = client({ targets: { deny }, connect: { lookup: names(['127.0.0.1']).lookup } })
    await (await api(named('yes.example', server.origin))).text()
    expect(await caught(api(named('no.example', server.origin)))).toMatchObject({ ...forbidden, attempts: 1 })
    expect(await caught(api(named('throwing.example', server.origin)))).toBe(thrown)
    const port = Number(new URL(server.origin).port)
    const target = { scheme: 'http', port, address: '127.0.0.1' }
    const before = { ...target, address: undefined }
    expect(asked).toEqual([
      { ...before, host: 'yes.example' },
      { ...target, host: 'yes.example' },
      { ...target, host: 'yes.example' },
      { ...before, host: 'no.example' },
      { ...target, host: 'no.example' },
      { ...before, host: 'throwing.example' },
      { ...target, host: 'throwing.example' },
    ])
    expect(server.requests).toHaveLength(1)
  })
})

describe('the address that is connected to', () => {
  test('is the one that was checked, whatever the lookup makes of it later', async () => {
    await using server = await closing()
    await using trap = await trapAt('127.0.0.2', server.origin)
    for (const autoSelectFamily of [true, false]) {
      let reads = 0
      const lying = {
        family: 4,
        get address() {
          reads += 1
          return reads === 1 ? '127.0.0.1' : '127.0.0.2'
        },
      }
      const api = client({
        targets,
        connect: { lookup: (_name, _options, callback) => callback(null, [lying]), autoSelectFamily },
      })
      expect(await (await api(named('lying.example', server.origin))).text()).toBe('public')
    }
    expect(trap.connections).toEqual([])
  })

  test('is that of the socket a connector of the caller opens', async () => {
    await using server = await closing()
    await using trap = await trapAt('127.0.0.2', server.origin)
    const { port } = new URL(server.origin)
    const sockets: Socket[] = []
    const to =
      (host: string): Connector =>
      (_target, callback) => {
        const socket = connectSocket(Number(port), host)
        sockets.push(socket)
        socket.once('connect', () => callback(null, socket))
      }
    const origin = named('a.example', server.origin)
    expect(await (await client({ targets, connect: to('127.0.0.1') })(origin)).text()).toBe('public')
    expect(await caught(client({ targets, connect: to('127.0.0.2') })(origin))).toMatchObject({ ...forbidden, attempts: 1 })
    expect(await caught(client({ targets, connect: to('127.0.0.2') })(server.origin))).toMatchObject(forbidden)
    await pause()
    expect(trap.received).toEqual([])
    expect(sockets.every(({ destroyed }) => destroyed)).toBe(true)
  })

  test('that is not seen is refused, and a connection that is lost at once is a failure of the network', async () => {
    const server = createServer((_request, response) => response.end('through'))
    const folder = mkdtempSync(join(tmpdir(), 'targets-'))
    const path = join(folder, 'http.sock')
    await new Promise<void>((resolve) => server.listen(path, resolve))
    onTestFinished(() => {
      server.close()
      rmSync(folder, { recursive: true })
    })
    const sockets: Socket[] = []
    const connect: Connector = (_target, callback) => {
      const socket = connectSocket(path, () => callback(null, socket))
      sockets.push(socket)
    }
    expect(await caught(client({ targets, connect })('http://a.example/'))).toMatchObject(forbidden)
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true])
    for (const accepted of [connect, { socketPath: path }]) {
      const api = client({ targets: { ...targets, unseen: 'unchecked' }, connect: accepted })
      expect(await (await api('http://a.example/')).text()).toBe('through')
      expect(await caught(api('http://127.0.0.2/'))).toMatchObject({ ...forbidden, attempts: 0 })
    }
    const lost: Connector = (_target, callback) => callback(null, new Duplex().destroy() as Socket)
    const error = await caught(client({ targets, connect: lost, maxAttempts: 2, on: { network: soon } })('http://a.example/'))
    expect(error).toMatchObject({ name: 'NetworkError', kind: 'connect', sent: 'no', attempts: 2 })
  })

  test("is that of undici's own connectors as well", async () => {
    await using server = await h2Server((_request, response) => response.end('public'))
    const connect = buildConnector({ ...trusting })
    const api = client({ targets, connect })
    expect(await (await api(server.origin)).text()).toBe('public')
    expect(await caught(client({ targets: { allow: ['127.0.0.2'] }, connect })(server.origin))).toMatchObject(forbidden)
  })
})

describe('connections', () => {
  /** Calls one after the other, each read to its end. */
  const read = async (...calls: [SteadFetch, string][]): Promise<string[]> => {
    const texts: string[] = []
    for (const [api, target] of calls) {
      texts.push(await (await api(target)).text())
      await pause()
    }
    return texts
  }

  test('that were opened without rules are not used by a child with some', async () => {
    await using server = await httpServer((_request, response) => response.end('open'))
    const { lookup, asked } = names(['127.0.0.1'])
    const origin = named('a.example', server.origin)
    const api = client({ connect: { lookup } })
    await read([api, origin])
    const child = api.extend({ targets: { deny: ['127.0.0.1'] } })
    expect(await caught(child(origin))).toMatchObject({ ...forbidden, attempts: 1 })
    expect(server.requests).toHaveLength(1)
    await read([api, origin])
    expect(server.connections).toHaveLength(1)
    expect(asked).toHaveLength(2)
  })

  test('are shared by children that add no rules about addresses', async () => {
    await using server = await httpServer((_request, response) => response.end('open'))
    const { lookup } = names(['127.0.0.1'])
    const origin = named('a.example', server.origin)
    const api = client({ connect: { lookup }, targets })
    const children = [{}, { targets }, { targets: { ...targets } }, { maxAttempts: 1 }].map((options) => api.extend(options))
    await read([api, origin], ...children.map((child): [SteadFetch, string] => [child, origin]))
    expect(server.connections).toHaveLength(1)
    const free = client({ connect: { lookup } })
    await read([free, origin], [free.extend({ targets: { deny: ['b.example'] } }), origin])
    expect(server.connections).toHaveLength(2)
    await read([api.extend({ targets: { deny: ['127.0.0.3'] } }), origin])
    expect(server.connections).toHaveLength(3)
  })

  test('of HTTP/2 are opened to allowed addresses alone', async () => {
    await using server = await h2Server((_request, response) => response.end('public'))
    await using trap = await trapAt('127.0.0.2', server.origin)
    const api = client({ targets, connect: { ...trusting, lookup: names(['127.0.0.2', '127.0.0.1'], ['127.0.0.2']).lookup } })
    const origin = named('localhost', server.origin)
    await read([api, origin], [api, origin])
    expect(server.connections).toHaveLength(1)
    expect(server.connections[0]?.alpnProtocol).toBe('h2')
    server.connections[0]?.destroy()
    await pause()
    expect(await caught(api(origin))).toMatchObject(forbidden)
    expect(trap.connections).toEqual([])
  })
})

import { connect as connectSocket, type Socket } from 'node:net'
import { ProxyAgent } from 'undici'
import { pem } from '../../../support/tls.ts'
import { complaint, type Fault, fault, pause, shown } from '../fault.ts'

const tls = { fails: { name: 'NetworkError', kind: 'tls', sent: 'no' } }
const refused = { fails: { name: 'NetworkError', kind: 'connect', sent: 'no' } }
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'
const ca = pem('ca')

/** A connector that fails like this; counts how often it was asked. */
const failing = (code: string, group: string, name: string, kind: string): Fault =>
  fault(
    group,
    name,
    async ({ open, limitMs }) => {
      let asked = 0
      const connect = (_options: unknown, callback: (error: Error) => void): void => {
        asked += 1
        callback(Object.assign(new Error(code), { code, syscall: 'connect' }))
      }
      const result = await open({ connect }).send('http://127.0.0.1:65000/', { limitMs, method: 'POST', body: 'x' })
      if (asked !== 3) return `tried ${asked} times; nothing was sent, so that it may be tried again`
      return complaint(result, { fails: { name: 'NetworkError', kind, sent: 'no', attempts: 3 } }, true)
    },
    { oursAlone: true },
  )

const secure = (name: string, more: object, target: (port: number) => string, withCa = true): Fault =>
  fault('TLS', name, async ({ client, limitMs, tls: server, ours }) => {
    const { port, received } = await server((socket) => socket.end(ok), more)
    const result = await client.send(target(port), { limitMs, method: 'POST', body: 'x', ...(withCa ? { ca } : {}) })
    return received.length > 0 ? 'the request was sent' : complaint(result, tls, ours)
  })

/** What happens before a request is sent. */
export const connections: readonly Fault[] = [
  fault('connecting', 'refused', async ({ client, limitMs, raw, ours }) => {
    const { port } = await raw(() => {})
    const result = await client.send(`http://127.0.0.1:${port === 1 ? 2 : 1}/`, { limitMs })
    // Port 1 is one that fetch forbids.
    return complaint(result, [refused, { fails: { name: 'TypeError' } }], ours)
  }),
  fault('connecting', 'a port that nobody listens on', async ({ client, limitMs, ours }) => {
    return complaint(await client.send('http://127.0.0.1:65001/', { limitMs, method: 'POST', body: 'x' }), refused, ours)
  }),
  fault('connecting', 'a host that does not exist', async ({ client, limitMs, ours }) => {
    return complaint(
      await client.send('http://nowhere.invalid/', { limitMs }),
      { fails: { name: 'NetworkError', kind: 'dns', sent: 'no' } },
      ours,
    )
  }),
  fault(
    'connecting',
    'a name server that fails for a while',
    async ({ open, limitMs, raw }) => {
      const { port } = await raw((socket) => socket.end(ok))
      let asked = 0
      const lookup = (_host: string, _options: object, callback: (error: Error | null, addresses?: object[]) => void): void => {
        asked += 1
        if (asked < 3) callback(Object.assign(new Error('EAI_AGAIN'), { code: 'EAI_AGAIN', syscall: 'getaddrinfo' }))
        else callback(null, [{ address: '127.0.0.1', family: 4 }])
      }
      const result = await open({ connect: { lookup } }).send(`http://service.example:${port}/`, {
        limitMs,
        method: 'POST',
        body: 'x',
      })
      return complaint(result, { gets: 'hello' }, true)
    },
    { oursAlone: true },
  ),
  fault(
    'connecting',
    'the first of two addresses is dead',
    async ({ open, limitMs, raw }) => {
      const { port } = await raw((socket) => socket.end(ok))
      const addresses = [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ]
      const lookup = (_host: string, _options: object, callback: (error: null, found: object[]) => void): void =>
        callback(null, addresses)
      return complaint(
        await open({ connect: { lookup } }).send(`http://service.example:${port}/`, { limitMs }),
        { gets: 'hello' },
        true,
      )
    },
    { oursAlone: true },
  ),
  fault(
    'connecting',
    'a connection that does not come about',
    async ({ open, limitMs }) => {
      const sockets: Socket[] = []
      const result = await open({
        connect: () => sockets.push(connectSocket({ port: 1, host: '127.0.0.1' }).on('error', () => {})),
        connectTimeoutMs: 100,
        maxAttempts: 2,
      }).send('http://127.0.0.1:65000/', { limitMs })
      return complaint(result, { fails: { name: 'TimeoutError', kind: 'connect', sent: 'no', attempts: 2 } }, true)
    },
    { oursAlone: true },
  ),
  failing('EMFILE', 'connecting', 'no file descriptors left', 'connect'),
  failing('EADDRNOTAVAIL', 'connecting', 'no ports left', 'connect'),
  failing('ENETUNREACH', 'connecting', 'no way to the network', 'connect'),
  failing('EAI_AGAIN', 'connecting', 'no name server', 'dns'),
  secure('a certificate of an unknown authority', {}, (port) => `https://127.0.0.1:${port}/`, false),
  secure(
    'a certificate for another host',
    { key: pem('server-key'), cert: pem('elsewhere') },
    (port) => `https://127.0.0.1:${port}/`,
  ),
  secure(
    'a certificate that has expired',
    { key: pem('server-key'), cert: pem('expired') },
    (port) => `https://127.0.0.1:${port}/`,
  ),
  secure(
    'a certificate of the client is missing',
    { requestCert: true, rejectUnauthorized: true, ca: pem('ca'), maxVersion: 'TLSv1.2' },
    (port) => `https://127.0.0.1:${port}/`,
  ),
  secure(
    'no common version of TLS',
    { maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    (port) => `https://127.0.0.1:${port}/`,
  ),
  fault('TLS', 'a server that speaks none', async ({ client, limitMs, raw, ours }) => {
    const { port } = await raw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    return complaint(await client.send(`https://127.0.0.1:${port}/`, { limitMs, method: 'POST', body: 'x' }), tls, ours)
  }),
  fault('TLS', 'a server that is silent', async ({ client, limitMs, raw, ours }) => {
    const { port } = await raw(() => {})
    return complaint(await client.send(`https://127.0.0.1:${port}/`, { limitMs }), { fails: { name: 'TimeoutError' } }, ours)
  }),
  fault('TLS', 'a server that closes in the handshake', async ({ client, limitMs, raw, ours }) => {
    const { port } = await raw((socket) => socket.end())
    return complaint(
      await client.send(`https://127.0.0.1:${port}/`, { limitMs, method: 'POST', body: 'x' }),
      { fails: { name: 'NetworkError', sent: 'no' } },
      ours,
    )
  }),
  fault('TLS', 'a server of TLS that is spoken to without', async ({ client, limitMs, tls: server, ours }) => {
    const { port } = await server((socket) => socket.end(ok))
    return complaint(await client.send(`http://127.0.0.1:${port}/`, { limitMs }), { fails: { name: 'NetworkError' } }, ours)
  }),
  fault(
    'TLS',
    'a close without a notice in the middle of the content (RFC 9112 §9.8)',
    async ({ client, limitMs, tls: server, ours }) => {
      const { origin, sockets } = await server((socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello')
        setTimeout(() => sockets[0]?.destroy(), 30)
      })
      return complaint(await client.send(origin, { limitMs, ca }), { fails: { name: 'NetworkError', kind: 'truncated' } }, ours)
    },
  ),
  fault('TLS', 'bytes that are none after the handshake', async ({ client, limitMs, tls: server, raw, ours }) => {
    const near: Socket[] = []
    const { port } = await server(() => near[0]?.write('garbage that is no record of TLS'.repeat(2_000)))
    const { port: between } = await raw((socket, piece) => {
      if (near.length === 0) {
        near.push(socket)
        const far = connectSocket(port, '127.0.0.1').on('error', () => {})
        far.pipe(socket)
        far.on('close', () => socket.destroy())
        socket.on('close', () => far.destroy())
        far.write(piece, 'latin1')
        socket.on('data', (data) => data.toString('latin1') !== piece && far.write(data))
      }
    })
    const ask = { limitMs, ca, method: 'POST', body: 'x' }
    return complaint(await client.send(`https://127.0.0.1:${between}`, ask), { fails: { name: 'NetworkError' } }, ours)
  }),
  ...(
    [
      [
        'that wants credentials',
        'HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n',
      ],
      ['that refuses', 'HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n'],
      ['that speaks something else', 'garbage\r\n\r\n'],
      ['that closes', ''],
    ] as const
  ).map(([name, answer]) =>
    fault(
      'proxies',
      `a proxy ${name}`,
      async ({ open, limitMs, raw }) => {
        const { origin } = await raw((socket) => socket.end(answer))
        const dispatcher = new ProxyAgent(origin.replace('//', '//user:pass-word@'))
        try {
          const result = await open({ dispatcher }).send('https://service.example/', { limitMs })
          if (JSON.stringify(shown(result)).includes('pass-word')) return 'the credentials are told'
          return complaint(result, { fails: { name: 'NetworkError' } }, true)
        } finally {
          await dispatcher.destroy()
        }
      },
      { oursAlone: true },
    ),
  ),
  fault(
    'proxies',
    'a proxy that is silent',
    async ({ open, limitMs, raw }) => {
      const { origin } = await raw(() => {})
      const dispatcher = new ProxyAgent(origin)
      try {
        const result = await open({ dispatcher, attemptTimeoutMs: 200, maxAttempts: 1 }).send('https://service.example/', {
          limitMs,
        })
        return complaint(result, { fails: { name: 'TimeoutError' } }, true)
      } finally {
        await dispatcher.destroy()
        await pause(20)
      }
    },
    { oursAlone: true },
  ),
]

import { createFetch } from '../../../../src/index.ts'
import { complaint, type Fault, fault, type Result } from '../fault.ts'

const group = 'requests'
const typeError = { fails: { name: 'TypeError' } }

/** What must be refused before anything is sent. */
const refusing = (name: string, send: (target: string) => [string, object]): Fault =>
  fault(group, name, async ({ client, limitMs, raw, ours }) => {
    const { origin, received, sockets } = await raw((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'))
    const [target, ask] = send(origin)
    const result = await client.send(target, { limitMs, ...ask })
    const text = received.join('')
    if (/evil/i.test(text.split('\r\n').slice(1).join('\n')) && /\r\nevil: 1/i.test(text)) return 'a field was smuggled in'
    if (ours && sockets.length > 0) return 'a connection was opened'
    return ours ? complaint(result, typeError, true) : undefined
  })

/** A prototype that somebody polluted, while `run` runs. */
async function polluted<Value>(members: Record<string, unknown>, run: () => Promise<Value>): Promise<Value> {
  const prototype = Object.prototype as unknown as Record<string, unknown>
  for (const [name, value] of Object.entries(members))
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
  try {
    return await run()
  } finally {
    for (const name of Object.keys(members)) delete prototype[name]
  }
}

const pollution = (
  name: string,
  members: Record<string, unknown>,
  wrong: (request: { method?: string; headers: NodeJS.Dict<string | string[]>; content: string }) => string | undefined,
): Fault =>
  fault(
    'polluted prototype',
    name,
    async ({ open, limitMs, http }) => {
      let complaintThere: string | undefined
      const { origin } = await http(async ({ method, headers }, response) => {
        complaintThere ??= wrong({ ...(method === undefined ? {} : { method }), headers, content: '' })
        response.end('hello')
      })
      const result = await polluted(members, () => open().send(origin, { limitMs }))
      return complaintThere ?? complaint(result, { gets: 'hello' }, true)
    },
    { alone: true },
  )

/** An option that is wrong; `createFetch`, a call, or both must say so. */
const options: readonly (readonly [string, Record<string, unknown>])[] = [
  ['maxAttempts', { maxAttempts: 0 }],
  ['maxAttempts', { maxAttempts: 1.5 }],
  ['maxAttempts', { maxAttempts: '3' }],
  ['maxAttempts', { maxAttempts: Number.NaN }],
  ['timeoutMs', { timeoutMs: -1 }],
  ['timeoutMs', { timeoutMs: 0 }],
  ['timeoutMs', { timeoutMs: '1000' }],
  ['timeoutMs', { timeoutMs: Number.POSITIVE_INFINITY }],
  ['attemptTimeoutMs', { attemptTimeoutMs: null }],
  ['idleTimeoutMs', { idleTimeoutMs: true }],
  ['maxDecodedBytes', { maxDecodedBytes: -1 }],
  ['maxResponseBytes', { maxResponseBytes: 'all' }],
  ['errors', { errors: 'ignore' }],
  ['on', { on: 'retry' }],
  ['700', { on: { 700: 'retry it' } }],
  ['503', { on: { 503: 'again' } }],
  ['nonsense', { on: { nonsense: 'retry' } }],
  ['resume', { resume: 'yes' }],
  ['schema', { schema: 1 }],
  ['onInformation', { onInformation: 'log' }],
  ['idempotencyKey', { idempotencyKey: 'one-for-all' }],
  ['expectContinue', { expectContinue: 'yes' }],
  ['onDownloadProgress', { onDownloadProgress: 1 }],
]
const clientOptions: readonly (readonly [string, Record<string, unknown>])[] = [
  ['maxAtempts', { maxAtempts: 3 }],
  ['baseUrl', { baseUrl: '/relative' }],
  ['baseUrl', { baseUrl: 'ftp://127.0.0.1/' }],
  ['baseUrl', { baseUrl: 'http://user:password@127.0.0.1/' }],
  ['baseUrl', { baseUrl: 'http://127.0.0.1:25/' }],
  ['headers', { headers: { 'x a': '1' } }],
  ['headers', { headers: { 'x-a': 'a\r\nb: c' } }],
  ['headers', { headers: 'x-a: b' }],
  ['connectTimeoutMs', { connectTimeoutMs: -5 }],
  ['connect', { connect: { unknownOption: 1 } }],
  ['transport', { transport: 'undici' }],
  ['dispatcher', { dispatcher: {} }],
  ['retryBudget', { retryBudget: { capacity: -1 } }],
  ['breaker', { breaker: { failureRatio: 2 } }],
  ['breaker', { breaker: 'on' }],
  ['throttle', { throttle: { multiplier: 0 } }],
  ['concurrency', { concurrency: 0 }],
  ['rateLimit', { rateLimit: { limit: 0 } }],
  ['hedge', { hedge: { percentile: 95 } }],
  ['endpoints', { endpoints: [] }],
  ['endpoints', { endpoints: ['nonsense'] }],
  ['cache', { cache: { maxBytes: 'all' } }],
  ['coalesce', { coalesce: { maxBytes: -1 } }],
  ['cookies', { cookies: {} }],
  ['deadlineField', { deadlineField: 'not a name' }],
  ['clock', { clock: {} }],
  ['random', { random: 0.5 }],
]

const wrongOption = (name: string, given: Record<string, unknown>, ofCall: boolean): Fault =>
  fault(
    'options',
    `${ofCall ? 'of a call' : 'of a client'}: ${JSON.stringify(given, (_key, value) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value))}`,
    async ({ raw }) => {
      const { origin, sockets } = await raw((socket) => socket.end())
      try {
        if (ofCall) await createFetch()(origin, given)
        else createFetch(given)
        return 'was taken'
      } catch (error) {
        if (!(error instanceof TypeError) || !error.message.includes(name)) return `said ${String(error)}`
        if (error.message.includes('password')) return 'the password is told'
      }
      return sockets.length > 0 ? 'a connection was opened' : undefined
    },
    { oursAlone: true },
  )

/** Requests that must not be sent as they are asked for. */
export const requests: readonly Fault[] = [
  refusing('a line end in a value', (target) => [target, { headers: { 'x-a': 'a\r\nevil: 1' } }]),
  refusing('a line end in a name', (target) => [target, { headers: { 'x-a\r\nevil': '1' } }]),
  refusing('a NUL in a value', (target) => [target, { headers: { 'x-a': 'a\0b' } }]),
  refusing('a character beyond Latin-1 in a value', (target) => [target, { headers: { 'x-a': '\u{1f600}' } }]),
  refusing('a line end in the method', (target) => [target, { method: 'GET / HTTP/1.1\r\nevil: 1\r\n\r\n' }]),
  refusing('a method with a space', (target) => [target, { method: 'GET IT' }]),
  refusing('an empty method', (target) => [target, { method: '' }]),
  refusing('CONNECT', (target) => [target, { method: 'CONNECT' }]),
  refusing('TRACE', (target) => [target, { method: 'TRACE' }]),
  refusing('a target that is none', () => ['http://', {}]),
  refusing('a target without a scheme', () => ['127.0.0.1/path', {}]),
  refusing('a target of another scheme', () => ['ftp://127.0.0.1/', {}]),
  refusing('a target with credentials', (target) => [target.replace('//', '//user:password@'), {}]),
  refusing('a port that does not exist', () => ['http://127.0.0.1:99999/', {}]),
  refusing('content of a GET', (target) => [target, { method: 'GET', body: 'x' }]),
  refusing('a Transfer-Encoding of the caller', (target) => [
    target,
    { method: 'POST', body: 'x', headers: { 'transfer-encoding': 'chunked' } },
  ]),
  refusing('a Content-Length that is wrong', (target) => [
    target,
    { method: 'POST', body: 'x', headers: { 'content-length': 'abc' } },
  ]),
  fault(group, 'a line end in the path is encoded, or dropped', async ({ client, limitMs, raw }) => {
    const { origin, received } = await raw((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'))
    await client.send(`${origin}/a\r\nevil: 1`, { limitMs })
    return /\r\nevil: 1/.test(received.join('')) ? 'a field was smuggled in' : undefined
  }),
  fault(group, 'a Content-Length that is not that of the content', async ({ client, limitMs, raw, ours }) => {
    const { origin, received } = await raw(
      (socket) => void setTimeout(() => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), 50),
    )
    const result = await client.send(origin, {
      method: 'POST',
      body: 'longer than it says',
      headers: { 'content-length': '4' },
      limitMs,
    })
    if (received.join('').includes('longer than')) return 'more was sent than it says'
    return complaint(result, { fails: {} }, ours)
  }),
  fault(
    group,
    'a Request whose content was read',
    async ({ raw }) => {
      const { origin, sockets } = await raw((socket) => socket.end())
      const used = new Request(origin, { method: 'POST', body: 'x' })
      await used.text()
      let result: Result
      try {
        await createFetch()(used)
        return 'was sent'
      } catch (error) {
        result = { kind: 'error', error }
      }
      return sockets.length > 0 ? 'a connection was opened' : complaint(result, typeError, true)
    },
    { oursAlone: true },
  ),
  pollution('headers are not sent', { headers: { evil: '1' } }, ({ headers }) =>
    headers.evil === undefined ? undefined : 'sent',
  ),
  pollution('a method is not taken', { method: 'DELETE' }, ({ method }) => (method === 'GET' ? undefined : method)),
  pollution('content is not sent', { body: 'evil', json: { evil: 1 }, data: 'evil' }, ({ headers }) =>
    headers['content-length'] === undefined && headers['transfer-encoding'] === undefined ? undefined : 'sent',
  ),
  pollution(
    'a base is not taken',
    { baseUrl: 'http://127.0.0.1:1/', baseURL: 'http://127.0.0.1:1/', prefixUrl: 'http://127.0.0.1:1/' },
    () => undefined,
  ),
  pollution(
    'options are not taken',
    { timeoutMs: 1, maxAttempts: 0, transport: 'evil', dispatcher: 'evil', on: 'evil', errors: 'evil', retry: 'evil' },
    () => undefined,
  ),
  pollution(
    'how to connect is not taken',
    {
      socketPath: '/tmp/evil',
      host: 'evil',
      port: 1,
      localAddress: '192.0.2.1',
      ca: 'evil',
      lookup: 'evil',
      proxy: 'http://127.0.0.1:1',
    },
    () => undefined,
  ),
  ...options.map(([name, given]) => wrongOption(name, given, true)),
  ...[...options, ...clientOptions].map(([name, given]) => wrongOption(name, given, false)),
]

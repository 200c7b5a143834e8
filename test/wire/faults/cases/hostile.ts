import { ProxyAgent } from 'undici'
import { createFetch, fail, retry } from '../../../../src/index.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { complaint, type Fault, fault, type Result, shown } from '../fault.ts'

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'
const alone = { oursAlone: true } as const

/** One call of a client with these options. */
async function called(options: object, target = 'http://127.0.0.1:65000/', init: object = {}): Promise<Result> {
  try {
    const response = await createFetch(options)(target, init)
    return { kind: 'response', status: response.status, content: await response.text() }
  } catch (error) {
    return { kind: 'error', error }
  }
}

const soon = { on: { network: retry({ baseMs: 0 }), '5xx': retry({ baseMs: 0 }) } }

/** A transport of the caller's, and what comes of it. */
const transport = (name: string, send: () => unknown, fails: object): Fault =>
  fault(
    'transports',
    name,
    async ({ limitMs = 1_000 }) =>
      complaint(await called({ transport: send, timeoutMs: limitMs, ...soon }), { fails: { ...fails } }, true),
    alone,
  )

/** A lookup of the caller's that does this; nothing may be sent, and nobody may wait. */
const lookup = (name: string, run: (callback: (...given: unknown[]) => void) => void): Fault =>
  fault(
    'connecting',
    `a lookup that ${name}`,
    async ({ open, limitMs, raw }) => {
      const { port, sockets } = await raw((socket) => socket.end(ok))
      const connect = { lookup: (_host: string, _options: object, callback: () => void) => run(callback) }
      const result = await open({ connect }).send(`http://service.example:${port}/`, { limitMs, method: 'POST', body: 'x' })
      if (sockets.some(({ bytesRead }) => bytesRead > 0)) return 'the request was sent'
      return complaint(result, { fails: { name: 'NetworkError', sent: 'no' } }, true)
    },
    alone,
  )

/** A policy function that gives this for a 503; the reason is a TypeError that names the key. */
const policy = (name: string, gives: unknown): Fault =>
  fault(
    'functions',
    `a policy function that gives ${name}`,
    async () => {
      const on = { 503: () => gives as never }
      const result = await called({ on, transport: async () => new Response('', { status: 503 }) })
      const { message } = Object(result.kind === 'error' ? result.error : {}) as Error
      return complaint(result, { fails: { name: 'TypeError' } }, true) ?? (message.includes('503') ? undefined : message)
    },
    alone,
  )

/** Options that say nothing, or something else than they seem to: a TypeError that names this. */
const refusedOption = (name: string, options: object, names: string): Fault =>
  fault(
    'options',
    name,
    async () => {
      const result = await called({ transport: async () => new Response('hello'), ...options })
      const { message } = Object(result.kind === 'error' ? result.error : {}) as Error
      return complaint(result, { fails: { name: 'TypeError' } }, true) ?? (message.includes(names) ? undefined : message)
    },
    alone,
  )

/** What a proxy answers to CONNECT, and what comes of a POST that is to go through it. */
const proxy = (name: string, answer: string, fails: object): Fault =>
  fault(
    'proxies',
    `a proxy ${name}`,
    async ({ open, limitMs, raw }) => {
      const { origin, received } = await raw((socket, piece) => {
        if (piece.startsWith('CONNECT')) socket.write(answer)
      })
      const dispatcher = new ProxyAgent(origin.replace('//', '//user:pass-word@'))
      try {
        const result = await open({ dispatcher }).send('https://service.example/', {
          method: 'POST',
          body: 'the content',
          limitMs,
        })
        if (shown(result).includes('pass-word')) return 'the credentials are told'
        if (received.some((piece) => piece.includes('the content'))) return 'the request was sent in the clear'
        return complaint(result, { fails: { name: 'NetworkError', sent: 'no', ...fails } }, true)
      } finally {
        await dispatcher.destroy()
      }
    },
    alone,
  )

/** How long a 503 with this header section is waited for. */
const severalWaits = (name: string, fields: [string, string][], leastMs: number): Fault =>
  fault(
    'Retry-After',
    name,
    async () => {
      const clock = new FakeClock(Date.UTC(2026, 0, 1))
      const sentMs: number[] = []
      const send = async (): Promise<Response> => {
        sentMs.push(clock.now())
        return sentMs.length === 1 ? new Response('', { status: 503, headers: fields }) : new Response('hello')
      }
      const text = await clock.drive(
        createFetch({ clock, transport: send })('http://127.0.0.1:65000/').then((response) => response.text()),
      )
      const waitedMs = (sentMs[1] ?? 0) - (sentMs[0] ?? 0)
      return text === 'hello' && waitedMs >= leastMs && waitedMs <= 1.2 * leastMs && clock.armed === 0
        ? undefined
        : `waited ${waitedMs} ms`
    },
    alone,
  )

/** What the caller's own functions, connectors and proxies can do wrong. */
export const hostile: readonly Fault[] = [
  transport('one that answers with a network error', async () => Response.error(), { name: 'NetworkError', attempts: 3 }),
  transport('one that answers with what is no Response', async () => ({ status: 200 }), { name: 'TypeError' }),
  transport('one that answers with nothing', () => undefined, { name: 'TypeError' }),
  transport('one that never answers, and hears no signal', () => new Promise(() => {}), { name: 'TimeoutError' }),
  transport(
    'one whose answer was read before',
    async () => {
      const response = new Response('hello')
      await response.text()
      return response
    },
    { name: 'NetworkError' },
  ),
  transport(
    'one whose content is no bytes',
    async () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            controller.enqueue('hello')
            controller.close()
          },
        }),
      ),
    { name: 'TypeError' },
  ),
  lookup('throws', () => {
    throw new Error('no lookup')
  }),
  lookup('finds no address', (callback) => callback(null, [])),
  lookup('finds nonsense', (callback) => callback(null, [{ address: 'nonsense', family: 4 }])),
  lookup('gives nothing at all', (callback) => callback()),
  lookup('fails with a string', (callback) => callback('no such host')),
  policy('a word that is none', 'nonsense'),
  policy('an object that is no policy', {}),
  policy('a number', 1),
  policy('null', null),
  fault(
    'functions',
    'a policy function that gives a policy, a word or nothing is obeyed',
    async () => {
      for (const gives of [fail(), 'fail', undefined] as const) {
        let sent = 0
        const send = async (): Promise<Response> => {
          sent += 1
          return new Response('', { status: 404 })
        }
        const result = await called({ on: { 404: () => gives as never }, transport: send })
        if (sent !== 1) return `${sent} requests`
        const wrong = complaint(result, { fails: { name: 'NotFoundError' } }, true)
        if (wrong !== undefined) return wrong
      }
      return undefined
    },
    alone,
  ),
  proxy('that says 200 and speaks no TLS', 'HTTP/1.1 200 OK\r\n\r\ngarbage, no TLS', { kind: 'tls' }),
  proxy('that answers CONNECT with an answer of its own', `HTTP/1.1 200 OK\r\n\r\n${ok}`, { kind: 'tls' }),
  proxy('that redirects', 'HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:1/\r\n\r\n', { kind: 'connect' }),
  proxy('that says 204', 'HTTP/1.1 204 No Content\r\n\r\n', { kind: 'connect' }),
  proxy('that switches to something else', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', {
    kind: 'connect',
  }),
  proxy('with a field of 100 KB', `HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(100_000)}\r\n\r\n`, {}),
  proxy('whose refusal has content that does not end', 'HTTP/1.1 407 No\r\ncontent-length: 100000\r\n\r\nabc', {
    kind: 'connect',
  }),
  severalWaits(
    'twice: the longest counts',
    [
      ['retry-after', '5'],
      ['retry-after', '10'],
    ],
    10_000,
  ),
  severalWaits(
    'a number and a date: the longest counts',
    [
      ['retry-after', '2'],
      ['retry-after', 'Thu, 01 Jan 2026 00:00:08 GMT'],
    ],
    8_000,
  ),
  severalWaits(
    'a number and nonsense in two fields',
    [
      ['retry-after', 'soon'],
      ['retry-after', '3'],
    ],
    3_000,
  ),
  ...['0503', '503.0', '5.03e2', ' 503', '0x1f7', '+503'].map((key) =>
    refusedOption(`a key of on that is a status in disguise: ${JSON.stringify(key)}`, { on: { [key]: 'accept' } }, key),
  ),
  refusedOption('a Map for on', { on: new Map([[503, 'accept']]) }, 'on'),
  refusedOption('a policy written by hand, without attempts', { on: { 503: { kind: 'retry', maxAttempts: 0 } } }, 'maxAttempts'),
  refusedOption('a policy written by hand, with words for numbers', { on: { 503: { kind: 'retry', baseMs: '5' } } }, 'baseMs'),
  refusedOption('a policy written by hand, with a member too many', { on: { 429: { kind: 'pause', waitMs: 5 } } }, 'waitMs'),
  refusedOption('a fallback written by hand, without a substitute', { on: { 503: { kind: 'fallback' } } }, 'substitute'),
  refusedOption('a refresh written by hand, without a source', { on: { 401: { kind: 'refresh' } } }, 'source'),
  refusedOption(
    'a fallback after what is no retry',
    { on: { 503: { kind: 'fallback', substitute() {}, after: 'retry' } } },
    'after',
  ),
  ...['a b', 'user@host', 'host/path', 'host, other', 'host?query'].map((value) =>
    refusedOption(`a Host that is none: ${value}`, { headers: { host: value } }, 'host'),
  ),
]

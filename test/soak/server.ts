// The servers of the soak, a process of their own: three origins that play every fault, by the path that is asked for.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { chunks, largeBytes, longText, marker, problem, value, zipped, zippedShort } from './content.ts'
import { togetherAnswers } from './together-answers.ts'

/** What the server tells: where it listens, and how many connections are open now. */
export interface Told {
  readonly origins?: readonly string[]
  readonly open?: number
  readonly opened?: number
}

/** How many requests a connection of the second origin serves before it is closed without notice. */
const requestsPerConnection = 50

type Answer = (response: ServerResponse, request: IncomingMessage, path: string) => void

const json = JSON.stringify(value)
const open = new Set<Socket>()
let opened = 0
/** Paths that have had their first, failed answer. */
const failedOnce = new Set<string>()

/** Whether this is the first request for the path; the second one forgets it. */
function isFirst(path: string): boolean {
  if (failedOnce.delete(path)) return false
  failedOnce.add(path)
  return true
}

const sendJson: Answer = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(json)

const firstThenJson = (first: Answer): Answer => {
  return (response, request, path) => (isFirst(path) ? first : sendJson)(response, request, path)
}

const reset = (socket: Socket): void => {
  socket.resetAndDestroy()
}

/** Tells a quota of this second, and refuses nobody beyond it. */
const quota: Answer = (response, request, path) => {
  const second = Math.floor(performance.now() / 1_000)
  if (second !== quotaSecond) used = 0
  quotaSecond = second
  used += 1
  const fields = { 'ratelimit-policy': `"soak";q=${perSecond};w=1`, ratelimit: `"soak";r=${Math.max(0, perSecond - used)};t=1` }
  for (const [name, field] of Object.entries(fields)) response.setHeader(name, field)
  sendJson(response, request, path)
}
const perSecond = 200
let quotaSecond = 0
let used = 0

/** Answers once so many have come. */
const together: Answer = (response, _request, path) => {
  waiting.push(response)
  if (waiting.length < Number(path.split('/')[2])) return
  for (const one of waiting.splice(0)) one.end(json)
}
const waiting: ServerResponse[] = []

const drip: Answer = (response) => {
  response.writeHead(200)
  response.write('.')
  const timer = setInterval(() => response.write('.'), 5)
  response.on('close', () => clearInterval(timer))
}

const large: Answer = (response) => {
  const part = Buffer.alloc(65_536, 'x')
  let left = largeBytes / part.length
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= 1
      if (!response.write(part)) return void response.once('drain', more)
    }
    response.end()
  }
  response.writeHead(200, { 'content-length': String(largeBytes) })
  more()
}

const upload: Answer = async (response, request) => {
  const parts: Buffer[] = []
  try {
    for await (const part of request) parts.push(part as Buffer)
  } catch {
    return
  }
  const body = Buffer.concat(parts)
  const answer = { bytes: body.length, whole: body.includes(marker), type: request.headers['content-type'] ?? null }
  response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
}

const answers: Readonly<Record<string, Answer>> = {
  json: sendJson,
  long: (response) => response.end(longText),
  gzip: (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(zipped),
  'short-gzip': (response) =>
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': zippedShort.length }).end(zippedShort),
  chunked: (response) => {
    for (const chunk of chunks) response.write(chunk)
    response.end()
  },
  empty: (response) => response.writeHead(204).end(),
  unchanged: (response, request) => response.writeHead(request.headers['if-none-match'] === '"7"' ? 304 : 500).end(),
  moved: (response, _request, path) => response.writeHead(Number(path.split('/')[3]), { location: '/json/0' }).end('moved'),
  missing: (response) => response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem)),
  flaky: firstThenJson((response, _request, path) => response.writeHead(Number(path.split('/')[3])).end('try again')),
  limited: firstThenJson((response) => response.writeHead(429, { 'retry-after': '0' }).end('too many')),
  'reset-early': firstThenJson((_response, request) => reset(request.socket)),
  'reset-always': (_response, request) => reset(request.socket),
  'reset-midway': (response, request) => {
    response.writeHead(200, { 'content-length': '1000' }).write('only the start')
    setTimeout(() => reset(request.socket), 3)
  },
  quota,
  together,
  drip,
  silent: () => {},
  large,
  closing: (response) => response.writeHead(200, { connection: 'close', 'content-type': 'application/json' }).end(json),
  upload,
  ...togetherAnswers,
}

function listener(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? ''
  response.on('error', () => {})
  const answer = answers[path.split('/')[1] as string]
  if (answer === undefined) response.writeHead(501).end()
  else answer(response, request, path)
}

/** Closes a connection without notice once it has served so many requests. */
function closeUnnoticed(server: Server): void {
  const served = new WeakMap<Socket, number>()
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const count = (served.get(socket) ?? 0) + 1
    served.set(socket, count)
    if (count >= requestsPerConnection) response.on('finish', () => socket.end())
  })
}

async function listening(server: Server): Promise<string> {
  server.keepAliveTimeout = 30_000
  server.on('connection', (socket: Socket) => {
    opened += 1
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const servers = [createServer(listener), createServer(listener), createServer(listener)] as const
closeUnnoticed(servers[1])
const tell = (told: Told): void => void process.send?.(told)
process.on('disconnect', () => process.exit())
process.on('message', () => tell({ open: open.size, opened }))
tell({ origins: await Promise.all(servers.map(listening)) })

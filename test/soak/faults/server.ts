// The servers of the fault soak, a process of their own: raw ones that play any fault for any request, and worse.
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import { identity, pem } from '../../support/tls.ts'
import { Applied } from './applied.ts'
import { brokenReplies } from './broken-replies.ts'
import { Chance, count, Lottery } from './chance.ts'
import { goodReplies, type Reply } from './good-replies.ts'
import { http2Server } from './http2-server.ts'
import { type RawRequest, readRequests } from './request.ts'
import { routes, statusReplies } from './status-replies.ts'
import { Visit } from './visit.ts'

/** What the process tells: where it listens, and later what came to pass. */
export interface Told {
  readonly origins?: Readonly<Record<string, string>>
  readonly open?: readonly string[]
  readonly opened?: number
  readonly replies?: Readonly<Record<string, number>>
  readonly violations?: readonly string[]
}

const chance = new Chance(Number(process.argv[2]))
const good = new Lottery(goodReplies)
const bad = new Lottery({ ...brokenReplies, ...statusReplies })
/** Open connections, and the server of each. */
const open = new Map<Socket, string>()
const replies: Record<string, number> = {}
const applied = new Applied()
const origins: Record<string, string> = {}
let opened = 0

/** Of so many answers one is not right. */
const badOnceIn = 2

function replyTo(visit: Visit): readonly [string, Reply] {
  const route = routes[visit.route]
  if (route !== undefined) return [`/${visit.route}*`, route]
  return visit.route === 'any' && chance.once(badOnceIn) ? bad.draw(chance) : good.draw(chance)
}

function serve(socket: Duplex): void {
  socket.on('error', () => {})
  const take = (request: RawRequest, content: Buffer | undefined, next: () => void): void => {
    const visit = new Visit(request, socket, next, chance, origins)
    const [name, reply] = replyTo(visit)
    count(replies, name)
    applied.note({ ...request, key: visit.key, content }, name)
    reply(visit)
  }
  readRequests(socket, {
    head(request) {
      if (request.fields.expect !== undefined && !chance.once(4)) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
      // Now and then it does not wait for the content.
      const isEarly = request.fields.expect === undefined && request.fields['x-upload'] !== undefined && chance.once(12)
      if (isEarly) take(request, undefined, () => socket.end())
      return isEarly
    },
    whole: (request, next) => take(request, request.content, next),
  })
}

async function listening(name: string, server: Server, scheme = 'http'): Promise<void> {
  server.on('connection', (socket: Socket) => {
    opened += 1
    open.set(socket, name)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, resolve))
  origins[name] = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Without those of HTTP/2: Node.js does not read from a session that it sent a GOAWAY on, nor see that it is closed. */
function openConnections(): string[] {
  return [...open.values()].filter((name) => name !== 'http2')
}

/** A port that nobody listens on. */
async function refusing(): Promise<void> {
  const server = createServer()
  await listening('refused', server)
  await new Promise((resolve) => server.close(resolve))
}

for (const name of ['plain 1', 'plain 2', 'plain 3']) await listening(name, createServer(serve))
await listening('tls', createTlsServer({ ...identity, ALPNProtocols: ['http/1.1'] }, serve) as Server, 'https')
await listening('http2', http2Server({ chance, replies, applied }) as Server, 'https')
await listening('of another name', createSecureServer({ ...identity, cert: pem('elsewhere') }) as Server, 'https')
await listening(
  'no TLS',
  createServer((socket) => void socket.resume().end('this is no TLS\r\n')),
  'https',
)
await listening(
  'closing',
  createServer((socket) => socket.resetAndDestroy()),
  'https',
)
await listening(
  'mute',
  createServer((socket) => void socket.resume()),
  'https',
)
await refusing()

const tell = (told: Told): void => void process.send?.(told)
process.on('disconnect', () => process.exit())
process.on('message', () => tell({ open: openConnections(), opened, replies, violations: applied.violations }))
tell({ origins })

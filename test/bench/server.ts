// The one server of a run, a process of its own: answers prepared beforehand, written straight to the socket. node:http
// would cost more than the cheapest clients and hold them up.
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { flakyEvery, order, problem, text, user } from './content.ts'

const nothing = Buffer.alloc(0)
const endOfHead = '\r\n\r\n'
const orderBytes = Buffer.byteLength(JSON.stringify(order))
const userAnswer = answer('200 OK', 'application/json', JSON.stringify(user))
const textAnswer = answer('200 OK', 'text/plain; charset=utf-8', text)
const missing = answer('404 Not Found', 'application/problem+json', problem)
const unavailable = answer('503 Service Unavailable', 'text/plain', 'try again')
const refused = answer('400 Bad Request', 'text/plain', 'not what the bench sends')

/** Paths under /flaky/ that have had their 503. */
const failedOnce = new Set<string>()
/** Slow requests that wait for their answer. */
let waiting = 0

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer = nothing
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    pending = answerAll(socket, pending.length === 0 ? chunk : Buffer.concat([pending, chunk]))
  })
})
// A thousand clients connect at once; the default backlog would make some of them wait a second.
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())

/** Answers every request that is complete; returns the bytes of the one that is not. */
function answerAll(socket: Socket, received: Buffer): Buffer {
  let start = 0
  while (start < received.length) {
    const headEnd = received.indexOf(endOfHead, start)
    if (headEnd === -1) break
    const head = received.toString('latin1', start, headEnd)
    const length = head.startsWith('GET ') ? 0 : contentLength(head)
    const end = headEnd + endOfHead.length + length
    if (end > received.length) break
    respond(socket, head, length)
    start = end
  }
  return start === received.length ? nothing : received.subarray(start)
}

function respond(socket: Socket, head: string, length: number): void {
  const [method, path] = head.slice(0, head.indexOf('\r\n')).split(' ') as [string, string]
  if (method === 'POST') socket.write(path === '/orders' && length === orderBytes ? userAnswer : refused)
  else if (path === '/user') socket.write(userAnswer)
  else if (path === '/text') socket.write(textAnswer)
  else if (path === '/missing') socket.write(missing)
  else if (path.startsWith('/flaky/')) socket.write(failsNow(path) ? unavailable : userAnswer)
  else if (path.startsWith('/slow/')) answerLater(socket, Number(path.slice('/slow/'.length)))
  else if (path === '/waiting') socket.write(answer('200 OK', 'application/json', String(waiting)))
  else socket.write(refused)
}

/** Every fifth number under a prefix fails at its first request, and only then. */
function failsNow(path: string): boolean {
  if (Number(path.slice(path.lastIndexOf('/') + 1)) % flakyEvery !== 0) return false
  if (failedOnce.delete(path)) return false
  failedOnce.add(path)
  return true
}

function answerLater(socket: Socket, delayMs: number): void {
  waiting += 1
  setTimeout(() => {
    waiting -= 1
    if (!socket.destroyed) socket.write(userAnswer)
  }, delayMs)
}

/** Every client here knows the length of what it sends; one that sends chunks is refused, and its check fails. */
function contentLength(head: string): number {
  return Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
}

function answer(status: string, type: string, content: string): Buffer {
  const bytes = Buffer.from(content)
  const head = `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${bytes.length}\r\nconnection: keep-alive`
  return Buffer.concat([Buffer.from(head + endOfHead), bytes])
}

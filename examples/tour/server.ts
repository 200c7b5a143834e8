import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Answer = (request: IncomingMessage, response: ServerResponse, visit: number) => void

/** A server on loopback that misbehaves in every way the tour shows. `visit` counts the requests to a path, from 1. */
export async function startServer(): Promise<{ origin: string; stop: () => void }> {
  const visits = new Map<string, number>()
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const visit = (visits.get(pathname) ?? 0) + 1
    visits.set(pathname, visit)
    const answer = answers[pathname] ?? byStatus
    answer(request, response, visit)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop }
}

/** `/status/418` answers with that status. */
const byStatus: Answer = (request, response) => {
  const status = Number(request.url?.split('/').at(-1))
  response.writeHead(status, { 'content-type': 'text/plain', ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}) })
  response.end(`this is ${status}\n`)
}

const answers: Record<string, Answer> = {
  '/early-hints': (_request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' })
    response.end('with hints')
  },
  '/flaky': (_request, response, visit) => response.writeHead(visit < 3 ? 503 : 200).end(),
  '/maintenance': (_request, response) => response.writeHead(503, { 'retry-after': '3600' }).end(),
  '/limited': (_request, response, visit) => {
    if (visit === 1) response.writeHead(429, { 'retry-after': '1' }).end('slow down')
    else response.end('welcome back')
  },
  '/problem': (_request, response) => {
    response.writeHead(422, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ type: 'about:blank', title: 'Invalid order', detail: 'quantity must be positive' }))
  },
  '/moved': (_request, response) => response.writeHead(301, { location: '/status/200' }).end(),
  '/form': (_request, response) => response.writeHead(303, { location: '/status/200' }).end(),
  '/circle': (_request, response) => response.writeHead(302, { location: '/circle' }).end(),
  '/away': (_request, response) => response.writeHead(302, { location: 'ftp://127.0.0.1/' }).end(),
  '/unchanged': (request, response) => response.writeHead(request.headers['if-none-match'] === '"v1"' ? 304 : 200).end(),
  '/reset': (request, response, visit) => (visit === 1 ? request.socket.destroy() : response.end('there again')),
  '/dead': (request) => request.socket.destroy(),
  '/silent': () => {},
  '/drip': (_request, response) => {
    response.write('one ')
  },
}

import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { identity } from '../../support/tls.ts'
import { type Bench, type Fault, type FaultClient, type OpenClient, type Place, pause } from './fault.ts'

/** What one case came to with one client. */
export interface Verdict {
  /** What is wrong; undefined when all is right. */
  readonly wrong: string | undefined
  readonly hung: boolean
  /** Connections that were open still after the client was closed. */
  readonly leaked: number
  readonly ms: number
}

/** How long connections may take to go once their client is closed. */
const closingMs = 2_000

/** Runs a case with a client, and looks at what is left of it. */
export async function judged(
  fault: Fault,
  open: OpenClient,
  options: { ours: boolean; limitMs: number | undefined; hangMs: number },
): Promise<Verdict> {
  const servers: Server[] = []
  const sockets: Socket[] = []
  const clients: FaultClient[] = []
  const opened = (given?: object): FaultClient => {
    const client = open(given)
    clients.push(client)
    return client
  }
  const place = (server: Server, scheme: string, received: string[]): Promise<Place> =>
    listening(server, scheme, received, servers, sockets)
  const bench: Bench = {
    client: opened(),
    limitMs: options.limitMs,
    ours: options.ours,
    open: opened,
    raw(answer) {
      const received: string[] = []
      return place(
        createServer((socket) => reading(socket, received, answer)),
        'http',
        received,
      )
    },
    tls(answer, more = {}) {
      const received: string[] = []
      const server = createTlsServer({ ...identity, ...more }, (socket) => reading(socket, received, answer))
      server.on('tlsClientError', () => {})
      return place(server, 'https', received)
    },
    http(answer) {
      const received: string[] = []
      const server = createHttpServer((request, response) => {
        response.on('error', () => {})
        received.push(`${request.method} ${request.url} HTTP/1.1\r\n${request.rawHeaders.join('\r\n')}`)
        answer(request, response, received.length)
      })
      return place(server, 'http', received)
    },
  }
  const startMs = performance.now()
  const ran = attempt(fault, bench)
  const timer: { stop?: () => void } = {}
  const late = new Promise<'hung'>((resolve) => {
    const handle = setTimeout(() => resolve('hung'), options.hangMs)
    timer.stop = () => clearTimeout(handle)
  })
  const came = await Promise.race([ran, late])
  timer.stop?.()
  const ms = performance.now() - startMs
  const leaked = came === 'hung' ? 0 : await leftOpen(clients, sockets)
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
  return { wrong: came === 'hung' ? 'hangs' : came, hung: came === 'hung', leaked, ms }
}

async function attempt(fault: Fault, bench: Bench): Promise<string | undefined> {
  try {
    return await fault.run(bench)
  } catch (error) {
    return `the case failed: ${error instanceof Error ? error.stack : String(error)}`
  }
}

/** Connections of the servers that are not gone some time after every client was closed. */
async function leftOpen(clients: readonly FaultClient[], sockets: readonly Socket[]): Promise<number> {
  if (clients.some(({ close }) => close === undefined)) return 0
  const closed = Promise.all(clients.map((client) => client.close?.()))
  const open = (): number => sockets.filter((socket) => !socket.destroyed).length
  for (let waited = 0; waited < closingMs; waited += 20) {
    await Promise.race([closed, pause(20)])
    // A half of a connection that nobody ends is no connection of the client's any more.
    for (const socket of sockets) if (socket.readableEnded && !socket.writableEnded) socket.end()
    if (open() === 0) break
    await pause(20)
  }
  return open()
}

function reading<Kind extends Socket>(
  socket: Kind,
  received: string[],
  answer: (socket: Kind, piece: string, count: number) => void,
): void {
  socket.on('error', () => {})
  socket.on('data', (data) => {
    const piece = data.toString('latin1')
    answer(socket, piece, received.push(piece))
  })
}

async function listening(server: Server, scheme: string, received: string[], servers: Server[], all: Socket[]): Promise<Place> {
  const sockets: Socket[] = []
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {})
    sockets.push(socket)
    all.push(socket)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { origin: `${scheme}://127.0.0.1:${port}`, port, received, sockets }
}

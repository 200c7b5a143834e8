import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net'

/** A server on loopback that is closed, with its connections, at the end of the test. */
export interface LocalServer extends AsyncDisposable {
  readonly origin: string
  /** Requests so far, as `METHOD /path`. */
  readonly requests: string[]
  /** Connections opened so far. */
  readonly connections: Socket[]
}

/** An HTTP server with this listener. */
export async function httpServer(listener: (request: IncomingMessage, response: ServerResponse) => void): Promise<LocalServer> {
  const requests: string[] = []
  const counting: RequestListener = (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    listener(request, response)
  }
  return listening(createServer(counting), requests)
}

/** A raw server: `answer` gets the socket after the first bytes of each request arrived. */
export async function socketServer(answer: (socket: Socket, received: string) => void): Promise<LocalServer> {
  const requests: string[] = []
  const server = createSocketServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      const received = data.toString('latin1')
      requests.push(received.split(' HTTP/')[0] as string)
      answer(socket, received)
    })
  })
  return listening(server, requests)
}

/** Starts a server, and closes it with its connections at the end of the test. */
export async function listening(server: ReturnType<typeof createSocketServer>, requests: string[]): Promise<LocalServer> {
  const connections: Socket[] = []
  server.on('connection', (socket: Socket) => connections.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

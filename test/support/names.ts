import { createServer, type LookupFunction, type Socket } from 'node:net'

/** A server that nobody is to reach, at an address of loopback that the rules of a test forbid. */
export interface Trap extends AsyncDisposable {
  /** Connections that were opened to it, and what came over them. */
  readonly connections: Socket[]
  readonly received: string[]
}

/** Listens at this address on the port of an origin. */
export async function trapAt(address: string, origin: string): Promise<Trap> {
  const connections: Socket[] = []
  const received: string[] = []
  const server = createServer((socket) => {
    connections.push(socket)
    socket.on('error', () => {})
    socket.on('data', (data) => {
      received.push(data.toString('latin1'))
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret')
    })
  })
  await new Promise<void>((resolve) => server.listen(Number(new URL(origin).port), address, resolve))
  return {
    connections,
    received,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A DNS that answers each lookup with the next of these lists of addresses, the last for ever; keeps the names it was asked for. */
export function names(...answers: (readonly string[])[]): { lookup: LookupFunction; asked: string[] } {
  const asked: string[] = []
  const lookup: LookupFunction = (hostname, options, callback) => {
    const found = answers[Math.min(asked.length, answers.length - 1)] as readonly string[]
    asked.push(hostname)
    const list = found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    setImmediate(() => {
      if (options.all === true) callback(null, list)
      else callback(null, list[0]?.address ?? '', list[0]?.family)
    })
  }
  return { lookup, asked }
}

/** The origin of a server by this name. */
export function named(name: string, origin: string): string {
  const { protocol, port } = new URL(origin)
  return `${protocol}//${name}:${port}`
}

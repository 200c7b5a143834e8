import { type AddressInfo, createServer, type Socket } from 'node:net'

/** What the server does once a request with this path has come. */
export interface Script {
  readonly bytes: Buffer
  /** Where the bytes are cut: each part is written in a turn of its own. */
  readonly cuts: readonly number[]
  /** What becomes of the connection: it is ended at once, reset, or ended only after some silence. */
  readonly ending: 'end' | 'reset' | 'silence'
}

/** A server that answers with given bytes, and counts what it was asked and which connections are open. */
export interface RawOrigin extends AsyncDisposable {
  readonly origin: string
  /** Scripts by path. */
  readonly scripts: Map<string, Script>
  /** How often each path was asked for. */
  readonly asked: Map<string, number>
  readonly open: ReadonlySet<Socket>
  /** Resolves once no connection is open; false after so long. */
  empty(withinMs: number): Promise<boolean>
}

/** Milliseconds of silence after which a connection whose script says so is ended. */
const silenceMs = 15

/** Starts a server on loopback. */
export async function rawOrigin(): Promise<RawOrigin> {
  const scripts = new Map<string, Script>()
  const asked = new Map<string, number>()
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    let received = ''
    let timer: NodeJS.Timeout | undefined
    socket.on('data', (data) => {
      clearTimeout(timer)
      received += data.toString('latin1')
      const [, path] = /^[A-Z]+ (\S+) HTTP\/1\.1\r\n[\s\S]*?\r\n\r\n$/.exec(received) ?? []
      if (path === undefined) return
      received = ''
      asked.set(path, (asked.get(path) ?? 0) + 1)
      const script = scripts.get(path)
      if (script !== undefined)
        void play(socket, script).then(() => {
          if (script.ending === 'silence') timer = setTimeout(() => socket.end(), silenceMs)
        })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    scripts,
    asked,
    open,
    async empty(withinMs) {
      for (const start = performance.now(); open.size > 0; ) {
        if (performance.now() - start > withinMs) return false
        await new Promise((resolve) => setImmediate(resolve))
      }
      return true
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function play(socket: Socket, { bytes, cuts, ending }: Script): Promise<void> {
  let from = 0
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    if (cut <= from || cut >= bytes.length) continue
    socket.write(bytes.subarray(from, cut))
    from = cut
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (from < bytes.length) socket.write(bytes.subarray(from))
  if (ending === 'end') socket.end()
  if (ending !== 'reset') return
  await new Promise((resolve) => setImmediate(resolve))
  socket.resetAndDestroy()
}

import { connect, createServer, type Socket } from 'node:net'
import type { LocalServer } from './server.ts'
import { listening } from './server.ts'

/** A proxy of TCP that cuts a connection once it has passed so many bytes of the server on; the last number is for ever. */
export async function cuttingProxy(port: number, ...cutBytes: readonly number[]): Promise<LocalServer> {
  let opened = 0
  const server = createServer((socket) => {
    let left = cutBytes[Math.min(opened, cutBytes.length - 1)] as number
    opened += 1
    const upstream = connect(port, '127.0.0.1')
    const both: readonly Socket[] = [socket, upstream]
    for (const one of both) {
      one.on('error', () => {})
      one.on('close', () => {
        for (const other of both) other.destroy()
      })
    }
    socket.pipe(upstream)
    upstream.on('data', (part) => {
      socket.write(part.subarray(0, left))
      left -= part.length
      if (left > 0) return
      upstream.destroy()
      socket.end()
    })
  })
  return listening(server, [])
}

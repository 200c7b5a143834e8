import { readFileSync } from 'node:fs'
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { createServer, type Server, type ServerOptions } from 'node:https'
import type { AddressInfo, Server as SocketServer } from 'node:net'
import type { TLSSocket, TlsOptions } from 'node:tls'
import type { LocalServer } from './server.ts'

/** One of the files of test/support/certificates, which are good until 2099 for localhost and 127.0.0.1. */
export function pem(name: string): string {
  return readFileSync(new URL(`certificates/${name}.pem`, import.meta.url), 'utf8')
}

/** Connection options that trust the servers below. */
export const trusting = { ca: pem('ca') }
/** What the servers below show of themselves. */
export const identity: TlsOptions = { key: pem('server-key'), cert: pem('server') }

/** A server on loopback that keeps its requests, and its connections with TLS set up. */
export type SecureServer<Kind> = Omit<LocalServer, 'connections'> & {
  readonly server: Kind
  readonly connections: TLSSocket[]
}

type Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void

/** A server that offers HTTP/2 and HTTP/1.1, unless the options say otherwise. */
export async function h2Server(listener: Listener, options: object = {}): Promise<SecureServer<Http2SecureServer>> {
  const requests: string[] = []
  const server = createSecureServer({ allowHTTP1: true, ...identity, ...options }, (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    listener(request, response)
  })
  server.on('sessionError', () => {})
  return secured(server, requests)
}

/** A server of HTTP/1.1. */
export async function httpsServer(
  listener: Parameters<typeof createServer>[1] & object,
  options: ServerOptions = {},
): Promise<SecureServer<Server>> {
  const requests: string[] = []
  const server = createServer({ ...identity, ...options }, (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    listener(request, response)
  })
  return secured(server, requests)
}

/** Starts a TLS server, and closes it with its connections at the end of the test. */
export async function secured<Kind extends SocketServer>(server: Kind, requests: string[] = []): Promise<SecureServer<Kind>> {
  const connections: TLSSocket[] = []
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => {})
    connections.push(socket)
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    server,
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

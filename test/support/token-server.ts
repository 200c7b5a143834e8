import { httpServer, type LocalServer } from './server.ts'

/** An API that takes bearer tokens (RFC 6750), and the server that issues them (RFC 6749 §4.4). */
export interface TokenServer extends LocalServer {
  /** Tokens issued so far. */
  issued: number
  /** Requests with a good token so far. */
  served: number
  /** What the token endpoint answers from now on; undefined for tokens. */
  outage: number | undefined
  /** The token that is good now. */
  good: string | undefined
}

/** Client credentials are `client:secret`; a token is issued after `delayMs`. */
export async function tokenServer(delayMs: number): Promise<TokenServer> {
  const server: TokenServer = Object.assign(
    await httpServer((request, response) => {
      request.resume().on('end', () => {
        const { authorization } = request.headers
        if (request.url === '/token') return issue(authorization === `Basic ${btoa('client:secret')}`)
        if (server.good !== undefined && authorization === `Bearer ${server.good}`) {
          server.served += 1
          return response.end(`for ${server.good}`)
        }
        const error = authorization === undefined ? '' : ', error="invalid_token", error_description="expired, or unknown"'
        response.writeHead(401, { 'www-authenticate': `Bearer realm="api"${error}, Basic realm="old clients"` })
        return response.end('not authorised')
      })
      const issue = (isClient: boolean): unknown => {
        if (server.outage !== undefined || !isClient) {
          return response.writeHead(server.outage ?? 401).end('{"error":"invalid_client"}')
        }
        server.issued += 1
        const token = `token-${server.issued}`
        return setTimeout(() => {
          server.good = token
          response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
          response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 3_600 }))
        }, delayMs)
      }
    }),
    { issued: 0, served: 0, outage: undefined, good: undefined },
  )
  return server
}

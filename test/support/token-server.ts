import type { IncomingMessage, ServerResponse } from 'node:http'
import { httpServer, type LocalServer } from './server.ts'

/** A server with an OAuth 2.0 token endpoint (RFC 6749 §4.4) and a resource that takes one token at a time (RFC 6750). */
export interface TokenServer {
  readonly server: LocalServer
  /** Tokens issued so far. */
  issued(): number
  /** Requests to the resource, by the status they got. */
  answered(status: number): number
  /** The token that was valid is none any more. */
  expire(): void
}

/** Issues tokens that take `issueMs` to make. */
export async function tokenServer(issueMs: number): Promise<TokenServer> {
  let issued = 0
  let valid = ''
  const statuses: number[] = []
  const answer = (response: ServerResponse, status: number, fields: Record<string, string>, content: object): void => {
    if (fields['www-authenticate'] !== undefined || status < 300) statuses.push(status)
    response.writeHead(status, { 'content-type': 'application/json', ...fields }).end(JSON.stringify(content))
  }
  const token = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let form = ''
    for await (const part of request) form += String(part)
    const basic = `Basic ${Buffer.from('orders:hunter2').toString('base64')}`
    if (new URLSearchParams(form).get('grant_type') !== 'client_credentials' || request.headers.authorization !== basic) {
      response.writeHead(400).end('{"error":"invalid_client"}')
      return
    }
    issued += 1
    await new Promise((resolve) => setTimeout(resolve, issueMs))
    valid = `token-${issued}`
    response.writeHead(200).end(JSON.stringify({ access_token: valid, token_type: 'Bearer', expires_in: 3600 }))
  }
  const server = await httpServer((request, response) => {
    if (request.url === '/token') void token(request, response)
    else if (valid !== '' && request.headers.authorization === `Bearer ${valid}`) answer(response, 200, {}, { ok: true })
    else answer(response, 401, { 'www-authenticate': 'Bearer realm="orders", error="invalid_token"' }, { ok: false })
  })
  return {
    server,
    issued: () => issued,
    answered: (status) => statuses.filter((each) => each === status).length,
    expire: () => {
      valid = ''
    },
  }
}

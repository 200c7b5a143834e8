// What the servers of the soak answer to calls with a cache, coalescing, resumption, polling and credentials.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { longText, value } from './content.ts'

type Answer = (response: ServerResponse, request: IncomingMessage, path: string) => void

/** Milliseconds after which calls that come at the same time are answered. */
const delayMs = 2
/** How long a token is good, and as long again: longer than a busy machine takes from a refresh to its replay. */
const tokenMs = 1_000

const json = JSON.stringify(value)

/** Fresh for no time, and used while it is validated. */
const cached: Answer = (response, request, path) => {
  const fields = { etag: `"${path}"`, 'cache-control': 'max-age=0, stale-while-revalidate=1' }
  const known = request.headers['if-none-match'] === fields.etag
  setTimeout(() => (known ? response.writeHead(304, fields).end() : response.writeHead(200, fields).end(json)), delayMs)
}

/** A download whose connection is lost in the middle, each time that the whole is asked for. */
const download: Answer = (response, request) => {
  const fields = { etag: '"1"', 'cache-control': 'max-age=0' }
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const last = longText.length - 1
  const rest = longText.slice(from)
  if (from > 0) {
    response.writeHead(206, { ...fields, 'content-range': `bytes ${from}-${last}/${longText.length}` }).end(rest)
    return
  }
  response.writeHead(200, { ...fields, 'content-length': longText.length }).write(rest.slice(0, rest.length >> 1))
  setTimeout(() => request.socket.resetAndDestroy(), delayMs)
}

/** Work that is done once it was asked for twice; the monitors name one another. */
const work: Answer = (response, _request, path) => {
  const [, , id, step] = path.split('/')
  const next = Number(step) + 1
  if (next > 3) response.writeHead(200, { 'content-type': 'application/json' }).end(json)
  else response.writeHead(202, { location: `/work/${id}/${next}` }).end()
}

const tokenNow = (): number => Math.floor(performance.now() / tokenMs)

/** The token of this moment. */
const token: Answer = (response) => response.end(String(tokenNow()))

/** For those who have a token that is not too old. */
const secret: Answer = (response, request) => {
  const given = Number(/^Bearer (\d+)$/.exec(request.headers.authorization ?? '')?.[1] ?? Number.NaN)
  const isGood = tokenNow() - given <= 1
  const fields = { etag: '"1"', 'cache-control': 'private, max-age=0' }
  setTimeout(() => {
    if (!isGood) response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('no')
    else response.writeHead(200, fields).end(json)
  }, delayMs)
}

/** By the first part of the path. */
export const togetherAnswers: Readonly<Record<string, Answer>> = { cached, download, work, token, secret }

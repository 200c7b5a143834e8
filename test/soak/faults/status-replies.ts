// Answers that are not what was asked for, told by their status; and those that need more than one request.
import { contentOf, poison } from './content.ts'
import { plain, type Reply } from './good-replies.ts'
import { headOf, type Visit } from './visit.ts'

type Fields = Readonly<Record<string, string | number>>

/** An error with content of its own. */
const failed =
  (status: string, fields: Fields = {}): Reply =>
  (visit) =>
    visit.answer(status, fields, `content of ${status}`)

const problem: Reply = (visit) =>
  visit.answer(
    '409 Conflict',
    { 'content-type': 'application/problem+json' },
    JSON.stringify({ title: 'Conflict', detail: visit.key }),
  )

const large = Buffer.alloc(400_000, 'e')
const endless: Reply = (visit) => {
  visit.head('500 Internal Server Error', { 'transfer-encoding': 'chunked' })
  visit.flood(Buffer.from(`1000\r\n${'e'.repeat(0x1000)}\r\n`), visit.chance.of([0, 20]))
}

/** A redirect of any status to what the visit makes of it. */
const moved =
  (location: (visit: Visit) => string): Reply =>
  (visit) => {
    const status = visit.chance.of([
      '301 Moved',
      '302 Found',
      '303 See Other',
      '307 Temporary Redirect',
      '308 Permanent Redirect',
    ])
    visit.answer(status, { location: location(visit) }, 'moved')
  }

const elsewhere = (visit: Visit): string =>
  `${visit.origins[visit.chance.of(['plain 1', 'plain 2', 'plain 3'])]}/good/${visit.key}`

/** A status that has no content, and bytes after it all the same. */
const stray =
  (status: string, fields: Fields = {}): Reply =>
  (visit) => {
    // In one piece, as no client can tell what comes later from the next answer.
    visit.write(`${headOf(status, fields)}${poison}`)
    visit.later(50, () => visit.close())
  }

const noContent: Reply = (visit) => {
  visit.head('204 No Content')
  visit.next()
}

const thenClosed =
  (reply: Reply): Reply =>
  (visit) => {
    reply(visit)
    visit.close()
  }

/** Every answer with a status of its own, with its weight; the names of those that apply nothing end with a star. */
export const statusReplies: Readonly<Record<string, readonly [weight: number, reply: Reply]>> = {
  400: [2, failed('400 Bad Request')],
  404: [3, failed('404 Not Found')],
  409: [2, problem],
  '408, closed': [2, thenClosed(failed('408 Request Timeout', { connection: 'close' }))],
  '413, later': [1, failed('413 Content Too Large', { 'retry-after': '0' })],
  // With 429 it would hold the origin for a minute, and nothing else would be tried.
  '413, tomorrow': [1, failed('413 Content Too Large', { 'retry-after': '86400' })],
  '421*': [1, failed('421 Misdirected Request')],
  '425*': [1, failed('425 Too Early')],
  '429, now': [3, failed('429 Too Many Requests', { 'retry-after': '0' })],
  '429, soon': [2, failed('429 Too Many Requests', { 'retry-after': '0.05' })],
  429: [1, failed('429 Too Many Requests')],
  500: [4, failed('500 Internal Server Error')],
  '500, large': [1, (visit) => visit.answer('500 Internal Server Error', {}, large)],
  '500 without end': [1, endless],
  502: [2, failed('502 Bad Gateway')],
  503: [3, failed('503 Service Unavailable')],
  '503, soon': [2, failed('503 Service Unavailable', { 'retry-after': '0.05' })],
  '503, nonsense': [1, failed('503 Service Unavailable', { 'retry-after': 'when I like it' })],
  504: [2, failed('504 Gateway Timeout')],
  599: [1, failed('599 Whatever')],
  'moved*': [3, moved((visit) => `/good/${visit.key}`)],
  'moved elsewhere*': [2, moved(elsewhere)],
  'moved in a loop*': [1, moved((visit) => `/loop/${visit.key}`)],
  'moved five times*': [1, moved((visit) => `/chain/5/${visit.key}`)],
  'moved for ever*': [1, moved((visit) => `/chain/99/${visit.key}`)],
  'moved to nowhere*': [
    1,
    moved((visit) => visit.chance.of(['http://', 'ftp://a/', 'http://u:p@127.0.0.1/', 'http://127.0.0.1:1/'])),
  ],
  'moved to a refused port*': [1, moved((visit) => `${visit.origins.refused}/good/${visit.key}`)],
  '204 with content': [1, stray('204 No Content')],
  '204': [1, noContent],
  '304 unasked': [1, stray('304 Not Modified', { etag: '"1"' })],
  '205 with content': [1, stray('205 Reset Content', { 'content-length': poison.length })],
}

/** Answers by the first part of the path: what takes several requests. */
export const routes: Readonly<Record<string, Reply>> = {
  loop: moved((visit) => `/loop/${visit.key}`),
  chain: (visit) => {
    const left = Number(visit.request.path.split('/')[2])
    if (left === 0) plain(visit)
    else moved(() => `/chain/${left - 1}/${visit.key}`)(visit)
  },
  // Tokens are good for half a second.
  token: (visit) => {
    if (Number(visit.request.fields.authorization?.slice('Bearer '.length) ?? 0) > Date.now() - 500) plain(visit)
    else visit.answer('401 Unauthorized', { 'www-authenticate': 'Bearer realm="soak"' })
  },
  accepted: (visit) => visit.answer('202 Accepted', { location: `/monitor/3/${visit.key}`, 'retry-after': '0' }),
  monitor: (visit) => {
    const left = Number(visit.request.path.split('/')[2])
    if (visit.chance.once(10)) visit.reset()
    else if (left === 0) plain(visit)
    else visit.answer('202 Accepted', { location: `/monitor/${left - 1}/${visit.key}`, 'retry-after': '0' })
  },
  cached: (visit) => {
    const fields = {
      etag: '"1"',
      'cache-control': visit.chance.of(['max-age=1', 'no-cache', 'max-age=0, stale-while-revalidate=1']),
    }
    if (visit.request.fields['if-none-match'] === '"1"') {
      visit.head('304 Not Modified', fields)
      visit.next()
    } else visit.answer('200 OK', fields, contentOf(visit.key))
  },
  range: ranged,
}

/** The whole or a part, which breaks off every second time. */
function ranged(visit: Visit): void {
  const bytes = Buffer.from(contentOf(visit.key))
  const from = Number(/^bytes=(\d+)-/.exec(visit.request.fields.range ?? '')?.[1] ?? 0)
  const part = bytes.subarray(from)
  const fields = { etag: '"1"', 'accept-ranges': 'bytes', 'content-length': part.length }
  if (from === 0) visit.head('200 OK', fields)
  else visit.head('206 Partial Content', { ...fields, 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
  if (visit.chance.once(2)) {
    visit.write(part)
    visit.next()
  } else {
    visit.write(part.subarray(0, visit.chance.below(part.length)))
    visit.later(5, () => visit.reset())
  }
}

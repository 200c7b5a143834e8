// The server of HTTP/2 of the fault soak: resets, ends and silence at every stage of a stream and of a session.
import { constants, createSecureServer, type Http2SecureServer, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import { identity } from '../../support/tls.ts'
import type { Applied } from './applied.ts'
import { type Chance, count, Lottery } from './chance.ts'
import { contentOf } from './content.ts'

interface Books {
  readonly chance: Chance
  readonly replies: Record<string, number>
  readonly applied: Applied
}

interface StreamVisit {
  readonly stream: ServerHttp2Stream
  readonly session: Http2Session
  readonly key: string
  readonly chance: Chance
}

type Reply = (visit: StreamVisit) => void

const { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM, NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM } = constants
const codes = [NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM]

const whole: Reply = ({ stream, key }) => {
  stream.respond({ ':status': 200, 'content-type': 'application/json' })
  stream.end(contentOf(key))
}

const status =
  (code: number): Reply =>
  ({ stream }) => {
    stream.respond({ ':status': code, 'retry-after': '0' })
    stream.end(`content of ${code}`)
  }

/** The first part of the content, then this. */
const part =
  (then: (visit: StreamVisit) => void): Reply =>
  (visit) => {
    const content = contentOf(visit.key)
    visit.stream.respond({ ':status': 200, 'content-length': Buffer.byteLength(content) })
    visit.stream.write(content.slice(0, visit.chance.below(content.length)))
    setTimeout(() => then(visit), visit.chance.below(20))
  }

/** The highest stream that a session has seen, and the last one that its GOAWAY lets live. */
const latest = new WeakMap<Http2Session, number>()
const announced = new WeakMap<Http2Session, number>()

/** A GOAWAY. Node.js takes streams above the last one as well, which the client may send again: they count as never come. */
function goaway({ session }: StreamVisit, code: number): void {
  const last = Math.min(announced.get(session) ?? Number.POSITIVE_INFINITY, latest.get(session) ?? 0)
  announced.set(session, last)
  session.goaway(code, last)
}

const goneAndAnswered: Reply = (visit) => {
  goaway(visit, NGHTTP2_NO_ERROR)
  whole(visit)
}

const closed: Reply = (visit) => {
  goaway(visit, NGHTTP2_NO_ERROR)
  visit.session.close()
}

const reset: Reply = ({ stream, chance }) => stream.close(chance.of(codes))

/** Every answer with its weight; those whose names end with a star apply nothing. */
const replies: Readonly<Record<string, readonly [weight: number, reply: Reply]>> = {
  'h2: whole': [40, whole],
  'h2: slow': [6, (visit) => void setTimeout(() => !visit.stream.destroyed && whole(visit), visit.chance.below(200))],
  'h2: 404': [2, status(404)],
  'h2: 503': [3, status(503)],
  'h2: 429': [2, status(429)],
  'h2: 421*': [1, status(421)],
  'h2: reset': [3, reset],
  'h2: refused*': [2, ({ stream }) => stream.close(NGHTTP2_REFUSED_STREAM)],
  'h2: reset within the content': [3, part(reset)],
  'h2: silence within the content': [1, part(() => {})],
  'h2: no answer': [1, () => {}],
  'h2: goaway, answered': [2, goneAndAnswered],
  'h2: goaway with an error': [1, (visit) => goaway(visit, NGHTTP2_INTERNAL_ERROR)],
  'h2: session closed': [1, closed],
  'h2: session destroyed': [1, ({ session }) => session.destroy()],
  'h2: session destroyed within the content': [1, part(({ session }) => session.destroy())],
}
const good = new Set(['h2: whole', 'h2: slow'])
const lottery = new Lottery(replies)

/** A server of HTTP/2 alone. */
export function http2Server({ chance, replies: tally, applied }: Books): Http2SecureServer {
  const server = createSecureServer({ ...identity, settings: { maxConcurrentStreams: 50 } })
  server.on('sessionError', () => {})
  server.on('stream', (stream, head) => {
    stream.on('error', () => {})
    const path = head[':path'] as string
    const { session } = stream
    if (session === undefined || (stream.id ?? 0) > (announced.get(session) ?? Number.POSITIVE_INFINITY)) return
    latest.set(session, stream.id ?? 0)
    const parts: Buffer[] = []
    stream.on('data', (bytes: Buffer) => parts.push(bytes))
    stream.on('end', () => {
      // Node.js tells of the end of what was cut short, too.
      if (stream.aborted || stream.destroyed) return
      const key = path.split('/').at(-1) as string
      let [name, reply] = lottery.draw(chance)
      while (path.startsWith('/good/') && !good.has(name)) [name, reply] = lottery.draw(chance)
      count(tally, name)
      const fields = head as Readonly<Record<string, string | undefined>>
      applied.note({ method: head[':method'] as string, path, key, fields, content: Buffer.concat(parts) }, name)
      if (!stream.destroyed && !session.destroyed) reply({ stream, session, key, chance })
    })
  })
  return server
}

import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2'
import type { Socket } from 'node:net'
import { addAbortSignal } from 'node:stream'
import { errors } from 'undici'
import type { Clock } from '../clock.ts'

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants

/** How long a peer may take to answer a PING (RFC 9113 §6.7) once a request had to be given up. */
const probeMs = 2_000

/**
 * Sees to what undici leaves open in an HTTP/2 session on `socket`:
 *
 * - a stream that is reset with CANCEL or NO_ERROR before its end is no whole response (RFC 9113 §8.1);
 * - a GOAWAY with the code REFUSED_STREAM does not say that the streams it lets live were refused;
 * - a connection on which requests are given up unanswered may be dead: it is asked, and closed if it keeps silent. A
 *   request that is given up ends its stream alone, so that all that follow would be written to the same dead socket;
 * - a session that is over leaves its socket to the peer.
 */
export function guardSession(socket: Socket, clock: Clock): void {
  const session = sessionOn(socket)
  if (session === undefined) return
  const { request, destroy } = session
  const probe = proberOf(session, socket, clock)
  session.destroy = lettingGo(session, socket, clock, destroy)
  session.request = (...args) => {
    // Thrown, as by the Node.js that undici was written for, it lets undici send the request over another connection.
    if (session.destroyed) throw Object.assign(new Error('The session has been destroyed'), { code: 'ERR_HTTP2_INVALID_SESSION' })
    return guardStream(request.apply(session, args), probe)
  }
}

/** Closes the socket of a session that is over: Node.js only ends it, and a peer that does not answer that keeps it for ever. */
function lettingGo(
  session: ClientHttp2Session,
  socket: Socket,
  clock: Clock,
  destroy: ClientHttp2Session['destroy'],
): () => void {
  let isOver = false
  return (...args) => {
    destroy.apply(session, args)
    if (isOver || socket.destroyed) return
    isOver = true
    socket.once(
      'close',
      clock.after(probeMs, () => socket.destroy()),
    )
  }
}

/** undici keeps its session on the socket under a symbol of its own. */
function sessionOn(socket: Socket): ClientHttp2Session | undefined {
  for (const key of Object.getOwnPropertySymbols(socket)) {
    const value = (socket as unknown as Record<symbol, unknown>)[key] as Partial<ClientHttp2Session> | null | undefined
    if (typeof value?.request === 'function' && typeof value.ping === 'function') return value as ClientHttp2Session
  }
  return undefined
}

/** Sees to it that a stream which is reset before its end is no whole response; `probe` is called when the request is given up. */
export function guardStream(stream: ClientHttp2Stream, probe: () => void): ClientHttp2Stream {
  const { push, destroy, close } = stream
  let ended = false
  // Node tells of the peer's END_STREAM before it closes the stream; what ends after the stream was closed was cut short.
  stream.push = (chunk, encoding) => {
    if (chunk !== null || ended || stream.destroyed) return push.call(stream, chunk, encoding)
    if (stream.closed) {
      // Node still works on the stream.
      process.nextTick(() => stream.destroy())
      return false
    }
    ended = true
    return push.call(stream, chunk, encoding)
  }
  stream.destroy = (error) => {
    // undici takes the code of the stream for that of a RST_STREAM, and would send the request again.
    if (codeOf(error) === 'ERR_HTTP2_SESSION_ERROR') Object.defineProperty(stream, 'rstCode', { value: NGHTTP2_INTERNAL_ERROR })
    return destroy.call(stream, error ?? (stream.closed && !ended ? cutShort(stream.rstCode) : undefined))
  }
  // Called by undici alone; without a code when the request is given up, which is CANCEL (RFC 9113 §7). Node.js would end the
  // content of a request first, so that a part of it looks whole, or wait for what nobody takes, and turn in a circle for ever.
  stream.close = (code, callback) => {
    if (!ended && !stream.closed) probe()
    if (code !== undefined || stream.writableEnded) close.call(stream, code ?? NGHTTP2_CANCEL, callback)
    else addAbortSignal(AbortSignal.abort(), stream)
  }
  // undici has let go of a stream that was given up, and an error nobody listens to would end the process.
  stream.on('error', () => {})
  return stream
}

/** The error Node makes of every other code. */
function cutShort(code: number | undefined): Error | undefined {
  if (code !== NGHTTP2_CANCEL && code !== NGHTTP2_NO_ERROR) return undefined
  const name = code === NGHTTP2_CANCEL ? 'NGHTTP2_CANCEL' : 'NGHTTP2_NO_ERROR'
  return Object.assign(new Error(`Stream closed with error code ${name}`), { code: 'ERR_HTTP2_STREAM_ERROR' })
}

/** Asks the peer for a sign of life, once at a time; any byte is one. */
function proberOf(session: ClientHttp2Session, socket: Socket, clock: Clock): () => void {
  let probing = false
  return () => {
    if (probing || session.closed || session.destroyed) return
    const bytesBefore = socket.bytesRead
    const stopTimer = clock.after(probeMs, () => {
      probing = false
      if (socket.bytesRead === bytesBefore) socket.destroy(new errors.SocketError('HTTP/2: connection unresponsive'))
    })
    probing = session.ping(() => {
      probing = false
      stopTimer()
    })
    if (!probing) stopTimer()
  }
}

function codeOf(error: unknown): unknown {
  return (Object(error) as { code?: unknown }).code
}

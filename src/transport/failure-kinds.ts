import { constants } from 'node:http2'
import type { NetworkFailure } from '../errors/failures.ts'

const { NGHTTP2_REFUSED_STREAM } = constants

const codes: Readonly<Record<NetworkFailure, readonly string[]>> = {
  connect: [
    'ECONNREFUSED',
    'ECONNABORTED',
    'EHOSTUNREACH',
    'EHOSTDOWN',
    'ENETUNREACH',
    'ENETDOWN',
    'EADDRNOTAVAIL',
    'EADDRINUSE',
    'EAFNOSUPPORT',
    'ETIMEDOUT',
    'EMFILE',
    'ENFILE',
    'ENOBUFS',
    'EPERM',
    'ERR_SOCKET_CONNECTION_TIMEOUT',
    'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
    'UND_ERR_PRX_CONN',
    'UND_ERR_BPL_MISSING_UPSTREAM',
    'UND_ERR_MAX_ORIGINS_REACHED',
    // Of the path of a Unix socket.
    'ENOENT',
    'EACCES',
    'ENOTDIR',
    'ENOTSOCK',
    'EPROTOTYPE',
    'ENAMETOOLONG',
  ],
  // Those of getaddrinfo begin with EAI_; these are c-ares', for a `lookup` that asks dns.resolve.
  dns: [
    'ENOTFOUND',
    'ENODATA',
    'ESERVFAIL',
    'EFORMERR',
    'EREFUSED',
    'ETIMEOUT',
    'EBADNAME',
    'EBADRESP',
    'ENONAME',
    'ERR_INVALID_IP_ADDRESS',
  ],
  tls: ['EPROTO', 'UND_ERR_PRX_TLS', 'HOSTNAME_MISMATCH', 'INVALID_CA', 'INVALID_PURPOSE', 'PATH_LENGTH_EXCEEDED'],
  reset: [
    'ECONNRESET',
    'EPIPE',
    'ENETRESET',
    'ENOTCONN',
    'ESHUTDOWN',
    'UND_ERR_SOCKET',
    'UND_ERR_INFO',
    'ERR_SOCKET_CLOSED',
    'ERR_STREAM_PREMATURE_CLOSE',
    'ERR_STREAM_DESTROYED',
    'ERR_STREAM_WRITE_AFTER_END',
  ],
  protocol: ['UND_ERR_HEADERS_OVERFLOW', 'ERR_HTTP2_ERROR', 'ERR_HTTP2_TOO_MANY_INVALID_FRAMES'],
  truncated: ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH'],
  unknown: [],
}
const kinds = new Map(Object.entries(codes).flatMap(([kind, list]) => list.map((code) => [code, kind as NetworkFailure])))

/** Node's codes for certificates and TLS are too many to list. */
const patterns: readonly (readonly [RegExp, NetworkFailure])[] = [
  [/^EAI_/, 'dns'],
  [/^ERR_HTTP2/, 'reset'],
  [/^UND_ERR_SOCKS5/, 'connect'],
  [/CERT|^ERR_TLS|^ERR_SSL|^ERR_OSSL|SIGNATURE|ISSUER|CRL/, 'tls'],
]

/** What part of the network an error code speaks of. */
export function kindOfCode(code: string): NetworkFailure {
  return kinds.get(code) ?? patterns.find(([pattern]) => pattern.test(code))?.[1] ?? 'unknown'
}

/** Whether the code comes only before a byte of the request is written, whoever the transport is. */
export function comesBeforeSending(code: string): boolean {
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code.startsWith('EAI_')
}

/** Whether a proxy answered for itself and passed nothing on: undici tells so in words alone. */
export function isProxyRefusal(code: string, message: string): boolean {
  const tunnel = code === 'UND_ERR_ABORTED' && message.startsWith('Proxy response (')
  return tunnel || (code === 'UND_ERR_INVALID_ARG' && message.startsWith('Proxy Authentication Required'))
}

/** Node gives these to a stream that never had an identifier, and to no other. */
const withoutStream = new Set([
  'ERR_HTTP2_INVALID_SESSION',
  'ERR_HTTP2_GOAWAY_SESSION',
  'ERR_HTTP2_STREAM_CANCEL',
  'ERR_HTTP2_OUT_OF_STREAMS',
])

/**
 * Whether undici's error says that a request over HTTP/2 was not processed, although it was written:
 *
 * - its stream was reset with REFUSED_STREAM (RFC 9113 §8.7). undici notes the code of the stream on errors of the whole
 *   session too, where it may come from a GOAWAY; only an error of the stream itself counts.
 * - its stream is above the last one that a GOAWAY lets live (RFC 9113 §6.8): no other stream gets this error.
 * - there was no stream, or its HEADERS frame could not be sent.
 */
export function wasNotProcessed(error: unknown, code: string, message: string): boolean {
  if (code === 'ERR_HTTP2_STREAM_ERROR') {
    return (error as { http2ErrorCode?: unknown }).http2ErrorCode === NGHTTP2_REFUSED_STREAM
  }
  if (withoutStream.has(code)) return true
  const ofUndici = code === 'UND_ERR_INFO' || code === 'UND_ERR_SOCKET'
  return ofUndici && /^HTTP\/2: "(?:GOAWAY" frame received with code |frameError" received - type 1, )/.test(message)
}

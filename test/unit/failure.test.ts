import { inspect } from 'node:util'
import { errors } from 'undici'
import { describe, expect, test } from 'vitest'
import { branchOf } from '../../src/errors/brand.ts'
import type { Exchange } from '../../src/exchange.ts'
import { type Stage, toFailure } from '../../src/transport/failure.ts'

const facts = {
  request: { method: 'GET', url: 'http://api.test/' },
  attempts: 1,
  elapsedMs: 5,
  exchange: { options: {}, request: { fields: [] as readonly string[] } } as Exchange,
}
const failureOf = (error: unknown, stage: Stage = 'sent'): Record<string, unknown> & Error =>
  toFailure(error, stage, facts) as Record<string, unknown> & Error

/** What an error is classed as: its branch, its kind, and whether the request was sent. */
const classed = (error: unknown, stage?: Stage): string => {
  const failure = failureOf(error, stage)
  return [branchOf(failure) ?? failure.name, failure.kind, failure.sent].filter((word) => word !== undefined).join(' ')
}

const coded = (code: string, more: object = {}): Error => Object.assign(new Error(`of ${code}`), { code, ...more })

type ErrorClass = new (...given: unknown[]) => Error
/** The proxies' errors begin with their cause. */
function made(name: string): Error {
  const Class = (errors as unknown as Record<string, ErrorClass>)[name] as ErrorClass
  const ofProxy = /^(?:SecureProxy|Proxy)Connection/.test(name)
  return ofProxy ? new Class(new Error('cause'), 'message') : new Class('message', undefined, {})
}

/** Each error class of undici, for a request that was written and not answered. */
const ofUndici: Record<string, string> = {
  UndiciError: 'network unknown maybe',
  AbortError: 'network unknown maybe',
  RequestAbortedError: 'network unknown maybe',
  InvalidReturnValueError: 'network unknown maybe',
  WebAssemblyNotSupportedError: 'network unknown maybe',
  ResponseExceededMaxSizeError: 'network unknown maybe',
  RequestRetryError: 'network unknown maybe',
  ResponseError: 'network unknown maybe',
  MaxRedirectsError: 'network unknown maybe',
  MessageSizeExceededError: 'network unknown maybe',
  ConnectTimeoutError: 'timeout connect no',
  HeadersTimeoutError: 'timeout attempt maybe',
  BodyTimeoutError: 'timeout idle maybe',
  ClientDestroyedError: 'refused closed',
  ClientClosedError: 'refused closed',
  // The caller's mistake, or a case that was forgotten: never one of the network.
  InvalidArgumentError: 'TypeError',
  NotSupportedError: 'TypeError',
  RequestContentLengthMismatchError: 'body source',
  SocketError: 'network reset maybe',
  InformationalError: 'network reset maybe',
  ResponseContentLengthMismatchError: 'network protocol maybe',
  HeadersOverflowError: 'network protocol maybe',
  HTTPParserError: 'network protocol maybe',
  SecureProxyConnectionError: 'network tls maybe',
  ProxyConnectionError: 'network connect maybe',
  Socks5ProxyError: 'network connect maybe',
  BalancedPoolMissingUpstreamError: 'network connect maybe',
  MaxOriginsReachedError: 'network connect maybe',
}

describe('every error of undici', () => {
  test('has its place in the table', () => {
    expect(Object.keys(ofUndici).sort()).toEqual(Object.keys(errors).sort())
  })

  test.each(Object.entries(ofUndici))('%s is classed as %s', (name, expected) => {
    expect(classed(made(name))).toBe(expected)
    // Before a byte was written, whatever of the network failed, nothing was sent.
    if (expected.startsWith('network')) expect(classed(made(name), 'unsent')).toMatch(/^network \w+ no$/)
  })

  test.each(Object.keys(ofUndici))('%s behind "fetch failed" is classed too', (name) => {
    const failure = failureOf(new TypeError('fetch failed', { cause: made(name) }), 'unknown')
    expect(branchOf(failure) ?? failure.name).toBe((ofUndici[name] as string).split(' ')[0])
  })

  test.each(Object.keys(ofUndici))('%s carries nothing that was received', (name) => {
    const error = Object.assign(made(name), { headers: { 'set-cookie': 's3cr3t' }, body: 's3cr3t', data: 's3cr3t' })
    expect(inspect(failureOf(error), { depth: 5, showHidden: true })).not.toContain('s3cr3t')
  })
})

/** Codes of Node's sockets, resolvers, TLS and HTTP/2: [kind before a byte was written, kind after the request was]. */
const ofNode: Record<string, readonly [before: string, after: string]> = {
  ...Object.fromEntries(
    [
      ['ECONNREFUSED', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'EADDRINUSE', 'EAFNOSUPPORT'],
      ['ETIMEDOUT', 'EMFILE', 'ENFILE', 'ENOBUFS', 'EPERM', 'ENOENT', 'EACCES', 'ENOTDIR', 'ENOTSOCK', 'EPROTOTYPE'],
      ['ECONNABORTED', 'ERR_SOCKET_CONNECTION_TIMEOUT', 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION', 'UND_ERR_SOCKS5_AUTH_FAILED'],
    ]
      .flat()
      .map((code) => [code, ['connect', 'connect']]),
  ),
  ...Object.fromEntries(
    [
      'ENOTFOUND',
      'EAI_AGAIN',
      'EAI_FAIL',
      'EAI_NODATA',
      'EAI_NONAME',
      'EAI_MEMORY',
      'ENODATA',
      'ESERVFAIL',
      'EREFUSED',
      'ETIMEOUT',
    ].map((code) => [code, ['dns', 'dns']]),
  ),
  ...Object.fromEntries(
    [
      ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'CERT_REVOKED', 'CERT_UNTRUSTED', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
      ['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_GET_CRL'],
      ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_SIGNATURE_FAILURE', 'CRL_HAS_EXPIRED', 'HOSTNAME_MISMATCH', 'INVALID_CA'],
      ['PATH_LENGTH_EXCEEDED', 'INVALID_PURPOSE', 'CERT_CHAIN_TOO_LONG', 'ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO'],
      ['ERR_TLS_HANDSHAKE_TIMEOUT', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'],
      ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'ERR_OSSL_PEM_NO_START_LINE'],
    ]
      .flat()
      .map((code) => [code, ['tls', 'tls']]),
  ),
  ...Object.fromEntries(
    [
      ['ECONNRESET', 'EPIPE', 'ENOTCONN', 'ESHUTDOWN', 'ENETRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED'],
      ['ERR_SOCKET_CLOSED', 'ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_SESSION_ERROR', 'ERR_HTTP2_PING_CANCEL'],
    ]
      .flat()
      .map((code) => [code, ['connect', 'reset']]),
  ),
  ERR_HTTP2_ERROR: ['protocol', 'protocol'],
  HPE_INVALID_CONSTANT: ['protocol', 'protocol'],
  EWHATEVER: ['unknown', 'unknown'],
  '': ['unknown', 'unknown'],
}

test.each(Object.entries(ofNode))('%s is of kind %j, and sent only once it was written', (code, [before, after]) => {
  expect(classed(coded(code), 'unsent')).toBe(`network ${before} no`)
  expect(classed(coded(code), 'sent')).toBe(`network ${after} maybe`)
  expect(classed(coded(code), 'answered')).toBe(`network ${after === 'reset' ? 'truncated' : after} maybe`)
  expect(failureOf(coded(code)).message).toContain(code)
})

test('what is no error, or says nothing, is a NetworkError all the same', () => {
  for (const odd of [undefined, null, 'text', 0, {}, new Error(''), new AggregateError([])]) {
    expect(classed(odd)).toBe('network unknown maybe')
  }
})

test('the errors of several addresses are classed by what Node makes of them', () => {
  const all = Object.assign(new AggregateError([coded('ECONNREFUSED'), coded('ENETUNREACH')]), { code: 'ECONNREFUSED' })
  expect(classed(all, 'unsent')).toBe('network connect no')
})

test('our own errors pass unchanged', () => {
  const own = failureOf(coded('ECONNRESET'))
  expect(toFailure(own, 'unsent', facts)).toBe(own)
})

describe('a request over HTTP/2 was not processed', () => {
  const unsent: [string, Error][] = [
    ['REFUSED_STREAM', coded('ERR_HTTP2_STREAM_ERROR', { http2ErrorCode: 7 })],
    ['GOAWAY without an error', new errors.InformationalError('HTTP/2: "GOAWAY" frame received with code 0')],
    ['GOAWAY with an error', new errors.SocketError('HTTP/2: "GOAWAY" frame received with code 2')],
    ['HEADERS not sent', new errors.InformationalError('HTTP/2: "frameError" received - type 1, code -505')],
    ['no session', coded('ERR_HTTP2_INVALID_SESSION')],
    ['a session that closes', coded('ERR_HTTP2_GOAWAY_SESSION')],
    ['a stream that was pending', coded('ERR_HTTP2_STREAM_CANCEL')],
    ['no stream left', coded('ERR_HTTP2_OUT_OF_STREAMS')],
  ]
  test.each(unsent)('with %s, unless there was an answer', (_name, error) => {
    expect(classed(error, 'sent')).toBe('network reset no')
    expect(classed(error, 'answered')).toBe('network truncated maybe')
    expect(classed(error, 'unknown')).toBe('network reset maybe')
  })

  const unclear: [string, Error][] = [
    ['another code', coded('ERR_HTTP2_STREAM_ERROR', { http2ErrorCode: 2 })],
    ['no code', coded('ERR_HTTP2_STREAM_ERROR')],
    ['the code of a whole session', coded('ERR_HTTP2_SESSION_ERROR', { http2ErrorCode: 7 })],
    ['the code on the loss of the socket', coded('UND_ERR_SOCKET', { http2ErrorCode: 7 })],
    ['DATA that was not sent', new errors.InformationalError('HTTP/2: "frameError" received - type 0, code -505')],
    ['a stream that ended', new errors.InformationalError('HTTP/2: stream half-closed (remote)')],
    ['words alone', new Error('HTTP/2: "GOAWAY" frame received with code 0')],
  ]
  test.each(unclear)('is not said of %s', (_name, error) => {
    expect(classed(error, 'sent')).toMatch(/ maybe$/)
  })
})

describe('a proxy that answers for itself passed nothing on', () => {
  const refusals: Error[] = [
    new errors.RequestAbortedError('Proxy response (407) !== 200 when HTTP Tunneling'),
    new errors.InvalidArgumentError('Proxy Authentication Required (407)'),
  ]
  test.each(refusals)('%s', (error) => {
    for (const stage of ['unsent', 'sent'] as const) expect(classed(error, stage)).toBe('network connect no')
    expect(failureOf(error).message).toContain('407')
  })
})

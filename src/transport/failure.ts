import { BodyError, NetworkError, type NetworkFailure, RefusedError, TimeoutError } from '../errors/failures.ts'
import { branchOf } from '../errors/steadfetch-error.ts'
import type { Attempt, CallFacts } from '../types/exchange.ts'

/** How far an attempt came before it failed. */
export type Stage = 'unsent' | 'sent' | 'answered' | 'unknown'

const kinds: Readonly<Record<string, NetworkFailure>> = {
  ECONNREFUSED: 'connect',
  EHOSTUNREACH: 'connect',
  ENETUNREACH: 'connect',
  EADDRNOTAVAIL: 'connect',
  ECONNABORTED: 'connect',
  EMFILE: 'connect',
  ENFILE: 'connect',
  ENOENT: 'connect',
  EACCES: 'connect',
  ETIMEDOUT: 'connect',
  UND_ERR_PRX_CONN: 'connect',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  EAI_NONAME: 'dns',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_INFO: 'reset',
  UND_ERR_PRX_TLS: 'tls',
  EPROTO: 'tls',
  UND_ERR_HEADERS_OVERFLOW: 'protocol',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'truncated',
}
/** Node's codes for certificates and TLS are too many to list. */
const tlsCode = /CERT|^ERR_TLS|^ERR_SSL|SIGNATURE|ISSUER|CRL/
/** Codes that come only before a byte of the request is written, whoever the transport is. */
const beforeSending = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME'])

/** The failure of an attempt: of the caller's own stream where that is the reason, else of the network. */
export function attemptFailure(error: unknown, stage: Stage, attempt: Attempt): Error {
  const source = attempt.request.content?.failure()
  if (source === undefined) return toFailure(error, stage, attempt.facts())
  return new BodyError('source', 'the stream that was to be sent failed', attempt.facts(), source.error)
}

/** Every failure of undici, of Node's sockets and of a fetch as one of ours; our own pass unchanged. */
export function toFailure(error: unknown, stage: Stage, facts: CallFacts): Error {
  if (error instanceof Error && branchOf(error) !== undefined) return error
  const root = withoutData(rootOf(error))
  const code = codeOf(root)
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return new TimeoutError('connect', timeoutOf(root), facts, root)
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return new TimeoutError('attempt', timeoutOf(root), facts, root)
  if (code === 'UND_ERR_BODY_TIMEOUT') return new TimeoutError('idle', timeoutOf(root), facts, root)
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') {
    return new RefusedError('closed', 'the client is closed', facts)
  }
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
    return new TypeError(`the request cannot be sent: ${messageOf(root)}`, { cause: root })
  }
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') {
    return new BodyError('source', 'the content is not as long as its Content-Length says', facts, root)
  }
  const kind = kindOf(root, code, stage)
  const sent = stage === 'unsent' || (stage === 'unknown' && beforeSending.has(code)) ? 'no' : 'maybe'
  return new NetworkError(kind, sent, `${summaryOf(kind)}: ${code || messageOf(root) || 'no reason given'}`, facts, root)
}

function kindOf(root: unknown, code: string, stage: Stage): NetworkFailure {
  if (isParserError(root) || /^bad (?:response|upgrade)/.test(messageOf(root))) return 'protocol'
  const known = code.startsWith('ERR_HTTP2') ? 'reset' : Object.hasOwn(kinds, code) ? kinds[code] : undefined
  if (known === undefined) return tlsCode.test(code) ? 'tls' : 'unknown'
  if (known === 'truncated' && stage === 'sent') return 'protocol'
  if (stage === 'answered' && known === 'reset') return 'truncated'
  return stage === 'unsent' && known === 'reset' ? 'connect' : known
}

function summaryOf(kind: NetworkFailure): string {
  return {
    connect: 'could not connect',
    dns: 'the host name could not be resolved',
    tls: 'TLS failed',
    reset: 'the connection was lost before the response',
    protocol: 'the answer is not valid HTTP',
    truncated: 'the connection was lost in the middle of the body',
    unknown: 'the network failed',
  }[kind]
}

/** The error of llhttp, whose code is not always given. */
function isParserError(error: unknown): boolean {
  return error instanceof Error && (error.name === 'HTTPParserError' || codeOf(error).startsWith('HPE_'))
}

/** A parser error carries the bytes it failed at, and they may hold secrets. */
function withoutData(root: unknown): unknown {
  if (!(root instanceof Error) || !isParserError(root)) return root
  const { message, name, stack } = root
  return Object.assign(new Error(message), { name, stack, code: codeOf(root) })
}

/** What stands behind `TypeError: fetch failed` and an AggregateError of several addresses. */
function rootOf(error: unknown): unknown {
  let root = error
  for (let depth = 0; depth < 5; depth += 1) {
    const { cause, code } = Object(root) as { cause?: unknown; code?: unknown }
    if (typeof code === 'string' || !(cause instanceof Error)) return root
    root = cause
  }
  return root
}

function codeOf(error: unknown): string {
  const { code } = Object(error) as { code?: unknown }
  return typeof code === 'string' ? code : ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}

function timeoutOf(error: unknown): number {
  return Number(/timeout: (\d+)\s?ms/.exec(messageOf(error))?.[1] ?? Number.NaN)
}

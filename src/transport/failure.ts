import { BodyError } from '../errors/body-error.ts'
import { NetworkError, type NetworkFailure, RefusedError, TimeoutError } from '../errors/failures.ts'
import { branchOf } from '../errors/steadfetch-error.ts'
import { faultText } from '../policy/targets.ts'
import type { Attempt, CallFacts } from '../types/exchange.ts'
import { comesBeforeSending, isProxyRefusal, kindOfCode, wasNotProcessed } from './failure-kinds.ts'
import { forbiddenCode } from './vetting.ts'

/** How far an attempt came before it failed. */
export type Stage = 'unsent' | 'sent' | 'answered' | 'unknown'

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
  const proxyRefused = isProxyRefusal(code, messageOf(root))
  const special = proxyRefused ? undefined : specialFailure(root, code, facts)
  if (special !== undefined) return special
  const kind = proxyRefused ? 'connect' : kindOf(root, code, stage)
  const sent = proxyRefused || isUnsent(root, code, stage) ? 'no' : 'maybe'
  return new NetworkError(kind, sent, `${summaryOf(kind)}: ${reasonOf(root, code)}`, facts, root)
}

/** What is not the network's fault, or a time limit of the dispatcher's own. */
function specialFailure(root: unknown, code: string, facts: CallFacts): Error | undefined {
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return new TimeoutError('connect', timeoutOf(root), facts, root)
    case 'UND_ERR_HEADERS_TIMEOUT':
      return new TimeoutError('attempt', timeoutOf(root), facts, root)
    case 'UND_ERR_BODY_TIMEOUT':
      return new TimeoutError('idle', timeoutOf(root), facts, root)
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return new RefusedError('closed', 'the client is closed', facts)
    case forbiddenCode:
      return forbiddenFailure(Object(root), facts)
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
      return new TypeError(`the request cannot be sent: ${messageOf(root)}`, { cause: root })
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
      return new BodyError('source', 'the content is not as long as its Content-Length says', facts, root)
    default:
      return undefined
  }
}

/** The target is forbidden, or a function of the caller threw that was to tell: that error is the caller's. */
function forbiddenFailure({ cause }: { cause?: unknown }, facts: CallFacts): Error {
  return cause instanceof Error ? cause : new RefusedError('target forbidden', faultText('address'), facts)
}

function isUnsent(root: unknown, code: string, stage: Stage): boolean {
  if (stage === 'unknown') return comesBeforeSending(code)
  return stage === 'unsent' || (stage === 'sent' && wasNotProcessed(root, code, messageOf(root)))
}

function kindOf(root: unknown, code: string, stage: Stage): NetworkFailure {
  if (isParserError(root) || /^bad (?:response|upgrade)/.test(messageOf(root))) return 'protocol'
  const kind = kindOfCode(code)
  if (kind === 'truncated' && stage === 'sent') return 'protocol'
  if (kind !== 'reset') return kind
  return stage === 'answered' ? 'truncated' : stage === 'unsent' ? 'connect' : 'reset'
}

/** The code says most; undici and Node have one code for all that can befall a stream of HTTP/2, and a proxy has none. */
function reasonOf(root: unknown, code: string): string {
  const message = messageOf(root)
  const telling = /^(?:HTTP\/2: |Proxy |Stream closed with error code |Session closed with error code )/.test(message)
  return telling ? message : code || message || 'no reason given'
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

/** Errors of the parsers and of undici's interceptors carry what was received, and that may hold secrets. */
function withoutData(root: unknown): unknown {
  if (!(root instanceof Error) || !['data', 'headers', 'body', 'rawPacket'].some((name) => Object.hasOwn(root, name))) return root
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

/** The code of an error; empty for what has none. */
export function codeOf(error: unknown): string {
  const { code } = Object(error) as { code?: unknown }
  return typeof code === 'string' ? code : ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}

function timeoutOf(error: unknown): number {
  return Number(/timeout: (\d+)\s?ms/.exec(messageOf(error))?.[1] ?? Number.NaN)
}

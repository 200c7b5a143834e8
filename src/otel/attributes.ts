import type { Attributes } from '@opentelemetry/api'
import type { AttemptTrace, RequestFacts } from '../types/trace.ts'

/** The methods that the semantic conventions know; another one is `_OTHER`, so that nobody's typing makes a new series. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY'])

/** The name of a span, RFC 9110 §9.1. */
export function methodOf({ method }: RequestFacts): string {
  return knownMethods.has(method) ? method : 'HTTP'
}

/** What spans and metrics tell of a request, by the semantic conventions for HTTP clients; the values are few. */
export function requestAttributes({ method, url }: RequestFacts): Attributes {
  const { hostname, port, protocol } = URL.parse(url) ?? { hostname: '', port: '', protocol: '' }
  return {
    'http.request.method': knownMethods.has(method) ? method : '_OTHER',
    'server.address': hostname.replace(/^\[(.*)\]$/, '$1'),
    'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    'url.scheme': protocol.slice(0, -1),
  }
}

/** What they tell of the outcome: `error.type` is the status as text where a response failed, else the code of the failure. */
export function resultAttributes({ status, error }: Pick<AttemptTrace, 'status' | 'error'>, hasFailed: boolean): Attributes {
  return {
    ...(status === undefined ? {} : { 'http.response.status_code': status }),
    ...(hasFailed ? { 'error.type': status === undefined ? (error ?? '_OTHER') : String(status) } : {}),
  }
}

import type { HopRequest, Received } from '../types/exchange.ts'
import type { ResolvedOptions } from '../types/options.ts'

type Endpoints = Pick<ResolvedOptions, 'endpoints' | 'baseUrl'>
type Named = Pick<HopRequest, 'service' | 'origin'>

/** The origin that a request is for: several endpoints are one, by whichever name a redirect leads to them. */
export function serviceOf({ service, origin }: Named, { endpoints, baseUrl }: Endpoints): string {
  if (service !== undefined) return service
  return endpoints?.origins.includes(origin) === true ? (baseUrl?.origin ?? origin) : origin
}

/** The path and the query of a target. */
export function pathOf({ href, origin }: Pick<HopRequest, 'href' | 'origin'>): string {
  return href.slice(origin.length)
}

/** The paths of what a request may have changed: its target, and what its answer names at the same service, RFC 9111 §4.4. */
export function changedBy(request: HopRequest, received: Received | undefined, options: Endpoints): ReadonlySet<string> {
  const service = serviceOf(request, options)
  const paths = new Set([pathOf(request)])
  for (const name of ['location', 'content-location']) {
    const reference = received?.field(name) ?? null
    const url = reference === null ? null : URL.parse(reference, request.href)
    if (url !== null && serviceOf({ origin: url.origin }, options) === service) paths.add(url.pathname + url.search)
  }
  return paths
}

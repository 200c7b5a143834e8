import type { TransportInit } from '../../src/index.ts'

/** A transport with a fixed window: so many requests in each, and a 429 beyond. */
export interface QuotaServer {
  readonly transport: (target: string, init: TransportInit) => Promise<Response>
  /** When each request came. */
  readonly arrivals: number[]
  /** How many were answered with 429. */
  readonly refused: number
}

/** What a quota server is like. */
export interface QuotaRules {
  readonly limit: number
  readonly windowMs: number
  /** The fields it tells its quota by. */
  readonly fields: (remaining: number, resetMs: number) => Record<string, string>
  /** Waits until the response is to come; at once by default. */
  readonly respond?: (index: number) => Promise<void>
}

/** The fields of draft-ietf-httpapi-ratelimit-headers-11, seconds rounded up as servers do. */
export function draftFields({ limit, windowMs }: Pick<QuotaRules, 'limit' | 'windowMs'>): QuotaRules['fields'] {
  return (remaining, resetMs) => ({
    'ratelimit-policy': `"default";q=${limit};w=${Math.ceil(windowMs / 1_000)}`,
    ratelimit: `"default";r=${remaining};t=${Math.ceil(resetMs / 1_000)}`,
  })
}

/** Makes one, whose first window begins with its first request. */
export function quotaServer(now: () => number, { limit, windowMs, fields, respond }: QuotaRules): QuotaServer {
  const arrivals: number[] = []
  let endMs = -Infinity
  let used = 0
  let refused = 0
  return {
    arrivals,
    get refused() {
      return refused
    },
    async transport() {
      const nowMs = now()
      if (nowMs >= endMs) {
        used = 0
        endMs = endMs === -Infinity ? nowMs + windowMs : endMs + Math.ceil((nowMs - endMs + 1) / windowMs) * windowMs
      }
      const isOver = used >= limit
      if (isOver) refused += 1
      else used += 1
      const index = arrivals.push(nowMs) - 1
      const headers = fields(limit - used, endMs - nowMs)
      await respond?.(index)
      return new Response(null, { status: isOver ? 429 : 200, headers })
    },
  }
}

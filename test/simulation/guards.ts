import { type Guard, type Outcome, succeeded } from './peer.ts'

/** The retry quota of the AWS SDKs' standard mode of 2026: 500 tokens, 14 for a retry, 5 after throttling. */
export function retryQuota(): Guard {
  const capacity = 500
  let tokens = capacity
  return {
    pay: (outcome) => {
      const cost = isThrottling(outcome) ? 5 : 14
      if (cost > tokens) return undefined
      tokens -= cost
      return cost
    },
    // A success gives back what its last retry had cost, or 1 when there was none.
    saw: (outcome, paid) => {
      if (succeeded(outcome)) tokens = Math.min(capacity, tokens + (paid ?? 1))
    },
  }
}

/** Whether the server says that there are too many requests. */
export function isThrottling(outcome: Outcome): boolean {
  return typeof outcome !== 'string' && outcome.status === 429
}

/** The retry throttling of gRPC's proposal A6: 10 tokens, a failure takes 1, a success gives 0.1, retries above a half. */
export function retryThrottling(): Guard {
  const capacity = 10
  let tokens = capacity
  return {
    pay: () => (tokens > capacity / 2 ? 1 : undefined),
    saw: (outcome) => {
      // An exceeded deadline is no retryable status, and so no failure here.
      if (outcome !== 'timeout') tokens = succeeded(outcome) ? Math.min(capacity, tokens + 0.1) : Math.max(0, tokens - 1)
    },
  }
}

/** Polly's default breaker: opens for 5 s when 10 % of at least 100 attempts within 30 s failed; then one probe. */
export function breaker(now: () => number): Guard {
  const [windowMs, breakMs, leastAttempts, failureRatio] = [30_000, 5_000, 100, 0.1]
  let recent: { readonly atMs: number; readonly failed: boolean }[] = []
  let openUntilMs = Number.NEGATIVE_INFINITY
  let probing: 'no' | 'due' | 'under way' = 'no'
  const open = (): void => {
    openUntilMs = now() + breakMs
    probing = 'due'
    recent = []
  }
  return {
    admits: () => {
      if (now() < openUntilMs || probing === 'under way') return false
      if (probing === 'due') probing = 'under way'
      return true
    },
    saw: (outcome) => {
      const failed = !succeeded(outcome)
      if (probing === 'due') return
      if (probing === 'under way') {
        probing = 'no'
        return failed ? open() : undefined
      }
      recent = recent.filter(({ atMs }) => atMs > now() - windowMs)
      recent.push({ atMs: now(), failed })
      const failures = recent.filter((attempt) => attempt.failed).length
      if (recent.length >= leastAttempts && failures >= failureRatio * recent.length) open()
    },
  }
}

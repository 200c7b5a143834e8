// The client of the soak that has every protection on, and what must be left of them: nothing.
import { type BreakerChange, type Clock, createFetch, isRefusedError, pause, retry, type SteadFetch } from 'steadfetch'

/** Few, so that calls wait and are refused although a hundred are under way at most. */
const slots = 6
const probes = 3
const openMs = 20
/** Short, too, but longer than a step of the last look takes: a probe that is lost is given up for lost after it. */
const maxOpenMs = 100
const now = retry({ baseMs: 0 })
/** Calls in a row that open a breaker, and as many again: the first may be refused. */
const mostCalls = 100

/** A client with every protection on; some of its calls have an adaptive limit. */
export class Protected {
  /** What came of its calls, and how often its breakers changed. */
  readonly outcomes: Record<string, number> = {}
  readonly #api: SteadFetch
  readonly #adaptive: SteadFetch
  readonly #origins: readonly string[]

  constructor(origins: readonly string[], clock: Clock) {
    this.#origins = origins
    this.#api = createFetch({
      clock,
      on: { '5xx': now, network: now, timeout: now, 429: pause({ baseMs: 0 }) },
      baseUrl: origins[0] as string,
      endpoints: { origins: origins.slice(0, 2), ejectMs: 100, maxEjectMs: 500 },
      breaker: { consecutiveFailures: 5, minVolume: 10, windowMs: 1_000, openMs, maxOpenMs, probes, onChange: this.#changed },
      throttle: { windowMs: 1_000, minVolume: 10 },
      concurrency: { limit: slots, maxQueued: 12, maxQueueMs: 50 },
      rateLimit: { limit: 2_000, followServer: true },
      hedge: { afterMs: 5, budgetRatio: 0.5 },
      deadlineField: 'request-timeout-ms',
    })
    this.#adaptive = this.#api.extend({ concurrency: { initialLimit: 4, maxLimit: 32, maxQueued: 12, maxQueueMs: 50 } })
  }

  readonly #changed = ({ to }: BreakerChange): void => this.count(`breaker ${to === 'open' ? 'opened' : to}`)

  /** The client for a call. */
  clientOf(id: number): SteadFetch {
    return id % 4 === 0 ? this.#adaptive : this.#api
  }

  count(outcome: string): void {
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1
  }

  /** What is left of the protections once every call has ended. */
  async leftBehind(): Promise<string[]> {
    const left: string[] = []
    // It has the breakers and the slots of its parent, and sends each request once to where it is told to.
    const bare = {
      endpoints: false,
      hedge: false,
      throttle: false,
      rateLimit: false,
      retryBudget: false,
      timeoutMs: 1_500,
    } as const
    const api = this.#api.extend(bare)
    for (const [index, origin] of this.#origins.entries()) {
      try {
        await open(api, origin)
        await aborted(api, origin, probes)
        // As many at a time as there are probes, and then slots; the server answers none before it has all.
        await together(api, origin, probes)
        if (api.breaker(origin).state !== 'closed') left.push(`the breaker of origin ${index} is ${api.breaker(origin).state}`)
        await together(api, origin, slots)
      } catch (error) {
        left.push(`a place is left taken at origin ${index}: ${String(error)}`)
      }
    }
    return left
  }

  close(): Promise<void> {
    return this.#api.close()
  }
}

/** Has the breaker of an origin opened by failures, and waits until it is half-open. The gate of the origin is open afterwards. */
async function open(api: SteadFetch, origin: string): Promise<void> {
  const breaker = api.breaker(origin)
  breaker.close()
  for (let call = 0; call < mostCalls && breaker.state !== 'open'; call += 1) {
    const error = await api(`${origin}/reset-always/0`, { method: 'POST' }).catch((error: unknown) => error)
    if (isRefusedError(error) && error.kind !== 'breaker open') throw error
  }
  if (breaker.state !== 'open') throw new Error('the breaker does not open')
  while (breaker.state === 'open') await new Promise((resolve) => setTimeout(resolve, openMs))
}

/** Sends calls that are aborted under way. */
async function aborted(api: SteadFetch, origin: string, calls: number): Promise<void> {
  const controller = new AbortController()
  const { signal } = controller
  const all = Promise.allSettled(Array.from({ length: calls }, () => api(`${origin}/silent/0`, { signal })))
  setTimeout(() => controller.abort(), 5)
  await all
}

async function together(api: SteadFetch, origin: string, calls: number): Promise<void> {
  const responses = Array.from({ length: calls }, () => api(`${origin}/together/${calls}`, { maxAttempts: 1 }))
  await Promise.all(responses.map(async (response) => (await response).text()))
}

// Compiled, never run: what the public types must allow and must refuse, with and without the DOM library.
import {
  type BreakerControl,
  type BreakerState,
  type Challenge,
  type ClientOptions,
  type CookieJar,
  createFetch,
  fetch,
  fetchStandard,
  follow,
  type HarEntry,
  type HttpError,
  isHttpError,
  isRefusedError,
  type Link,
  linksOf,
  NetworkError,
  type Policy,
  parseChallenges,
  poll,
  publicOnly,
  type RefreshPolicy,
  recordHar,
  refresh,
  remainingMs,
  retry,
  type SteadInit,
  type TargetOptions,
  type Transport,
  toCurl,
  traceOf,
  type Upgraded,
  withDeadline,
} from 'steadfetch'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const check = <_Holds extends true>(): void => {}

// A drop-in, in both directions.
const standard: typeof globalThis.fetch = fetch
const asOption: { fetch?: typeof globalThis.fetch } = { fetch: createFetch(fetchStandard) }
const transport: Transport = (target, init) => globalThis.fetch(target, init as RequestInit)
const requestInit: RequestInit = { method: 'POST', body: 'x', signal: AbortSignal.timeout(5), headers: new Headers() }
const init: SteadInit = { ...requestInit, json: { a: 1 }, timeoutMs: false, on: { 404: 'accept' } }
check<Equal<ReturnType<typeof fetch>, Promise<Response>>>()
void [standard, asOption, transport, init, fetch(new URL('http://x/')), fetch(new Request('http://x/'), init)]

// Policies: the key settles what a function sees.
const options: ClientOptions = {
  on: {
    404: 'accept',
    202: poll({ intervalMs: 500, timeoutMs: false, until: async (response) => response.status === 201 }),
    201: 'poll',
    409: retry({ maxAttempts: 5 }),
    410: (outcome) => (outcome.response.headers.has('location') ? follow() : 'fail'),
    '5xx': async (outcome) => (outcome.response.status > 0 ? undefined : retry()),
    network: (outcome) => (outcome.error instanceof NetworkError && outcome.error.sent === 'no' ? 'retry' : 'fail'),
  },
}
const policy: Policy = retry()
void [options, policy]
// @ts-expect-error: no such policy
createFetch({ on: { 404: 'ignore' } })
// @ts-expect-error: no such class
createFetch({ on: { '6xx': 'accept' } })
// @ts-expect-error: a misspelt option
createFetch({ timeout: 1_000 })
// @ts-expect-error: a failure without a status has no response
createFetch({ on: { network: (outcome) => outcome.response } })
// @ts-expect-error: options are read only
options.maxAttempts = 5

// Credentials: a source sees challenges, and gives fields in any form, or none.
const bearer: RefreshPolicy = refresh(
  async ({ challenges, previous, response }) => {
    const realm: string | undefined = challenges[0]?.params.realm
    if (realm === undefined || response === undefined) return null
    return previous === undefined ? new Headers() : [['authorization', realm]]
  },
  { eager: true, maxAgeMs: 1_000 },
)
const challenges: Challenge[] = parseChallenges(new Headers().get('www-authenticate'))
const jar: CookieJar = { getCookieString: async (_url) => '', setCookie: (_cookie, _url) => 1 }
createFetch({ on: { 401: bearer, 403: () => bearer }, cookies: jar, idempotencyKey: () => 'key' })
void [challenges, fetch('http://x/', { on: { 401: bearer }, idempotencyKey: true })]
// @ts-expect-error: not fields, and there is no bare word for it
createFetch({ on: { 401: refresh(() => 7), 403: 'refresh' } })
// @ts-expect-error: cookies are kept for a client, not for a call
fetch('http://x/', { cookies: jar })

// Errors: narrowed by status.
const error: unknown = undefined
if (isHttpError(error, 422)) {
  check<Equal<typeof error, HttpError<422>>>()
  check<Equal<typeof error.status, 422>>()
  const detail: string | undefined = error.problem?.detail
  void detail
}
const attempts: number | undefined = traceOf(error)?.attempts.length
const coalesced: true | undefined = traceOf(error)?.coalesced
void [attempts, coalesced]

// Protections: true, false or an object; the listener sees states by name.
const protectedOptions: ClientOptions = {
  retryBudget: { capacity: 500 },
  breaker: { consecutiveFailures: 5, onChange: ({ to }) => check<Equal<typeof to, BreakerState>>() },
  throttle: true,
  concurrency: 20,
  rateLimit: { limit: 50, burst: 10 },
  hedge: { afterMs: 100 },
  endpoints: [new URL('https://a.example.com'), 'https://b.example.com'],
  deadlineField: false,
  coalesce: { maxBytes: 65_536 },
}
const control: BreakerControl = createFetch(protectedOptions).breaker('https://a.example.com')
const within: Promise<Response> = withDeadline(500, () => fetch('http://x/'))
const left: number = remainingMs()
void [control, within, left]
// @ts-expect-error: no such member
createFetch({ breaker: { threshold: 5 } })
// @ts-expect-error: neither a number nor a word that is known
createFetch({ concurrency: { limit: 'auto' } })
// @ts-expect-error: the state is read only
control.state = 'open'
if (isRefusedError(error)) {
  const kind:
    | 'breaker open'
    | 'isolated'
    | 'throttled'
    | 'rate limited'
    | 'queue full'
    | 'queued too long'
    | 'paused'
    | 'closed'
    | 'target forbidden' = error.kind
  void kind
}

// Where requests may go.
const few: TargetOptions = {
  ...publicOnly,
  deny: [...publicOnly.deny.filter((set) => set !== 'loopback'), '*.example.net', ({ host, address }) => host === address],
  schemes: ['https'],
  ports: [443],
  unseen: 'own',
}
void createFetch({ targets: few }).extend({ targets: publicOnly })
// @ts-expect-error: no such scheme
createFetch({ targets: { schemes: ['ftp'] } })
// @ts-expect-error: an answer at once
createFetch({ targets: { deny: [async () => true] } })
// @ts-expect-error: an option of a client, for it has connections of its own
const ofCall: SteadInit = { targets: publicOnly }
void ofCall

// Informational responses, links, and connections that are switched.
const links: readonly Link[] = linksOf(new Response())
const upgraded: Promise<Upgraded> = fetch.upgrade('http://x/', { protocol: 'websocket', timeoutMs: 1_000 })
createFetch({ expectContinue: { afterMs: 500 }, onInformation: (information) => void information.links[0]?.params.as })
void [links, upgraded]
// @ts-expect-error: an upgrade is always a GET
fetch.upgrade('http://x/', { protocol: 'websocket', method: 'POST' })
// @ts-expect-error: to what
fetch.upgrade('http://x/', {})
// @ts-expect-error: links cannot be changed
links[0].target = ''

// What errors show.
createFetch({ details: 'development', redact: { fields: ['x-tenant'] } })
void fetch('http://x/', { details: 'production', redact: { parameters: ['patient'] } })
// @ts-expect-error: a mode that is none
createFetch({ details: 'all' })
// @ts-expect-error: names, not patterns
createFetch({ redact: { fields: [/tenant/] } })

// Recordings.
const entries: readonly HarEntry[] = recordHar(fetch, { content: true }).archive().log.entries
const command: string | undefined = toCurl(entries[0])
// @ts-expect-error: content is a flag
recordHar(fetch, { content: 'text' })
// @ts-expect-error: the global fetch has no attempts to record
recordHar(globalThis.fetch)
void command

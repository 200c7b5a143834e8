import { errorOf } from './check.ts'
import type { Client, Open } from './clients/client.ts'
import type { ClientName } from './clients.ts'
import { order } from './content.ts'
import { heapInFlight, heapOfOwnPart } from './heap.ts'
import { type Around, type Figures, type Load, measure, type SendOne, sendAll } from './measure.ts'
import type { Plan } from './plan.ts'

/** One column of a table. */
export interface Column {
  readonly figure: string
  readonly title: string
  readonly digits: number
  /** Whether the ratio to the baseline is shown: beside the figure, or with its smallest and largest in columns of its own. */
  readonly ratio: 'none' | 'beside' | 'spread'
  /** Shows how far the figure is above that of this client, instead of the figure. */
  readonly above?: ClientName
}

/** What the client is to do, and where. */
export interface Bench {
  readonly open: Open
  readonly client: Client
  readonly origin: string
  readonly plan: Plan
  /** Begins and ends a profile around what is measured. */
  readonly around: Around
}

interface Workload {
  readonly title: string
  readonly columns: readonly Column[]
  /** Whether only clients can do it whose dispatcher can be replaced by a stub. */
  readonly onStub?: true
  run(bench: Bench): Promise<Figures>
}

export type WorkloadName = keyof typeof workloads

const cost: readonly Column[] = [
  { figure: 'cpu', title: 'CPU µs', digits: 1, ratio: 'spread' },
  { figure: 'perSecond', title: 'requests/s', digits: 0, ratio: 'beside' },
  { figure: 'p50', title: 'p50 ms', digits: 2, ratio: 'beside' },
  { figure: 'p99', title: 'p99 ms', digits: 2, ratio: 'beside' },
]
const levels = [1, 10, 100, 1_000]

/** In the order of the report. */
export const workloads = {
  'get-json': closedLoop('GET of 200 bytes of JSON', ({ client, origin }) => {
    return () => client.getJson(`${origin}/user`)
  }),
  'post-json': closedLoop('POST of 1 KiB of JSON', ({ client, origin }) => {
    return () => client.postJson(`${origin}/orders`, order)
  }),
  'get-text': closedLoop('GET of 64 KiB of text', ({ client, origin }) => {
    return () => client.getText(`${origin}/text`)
  }),
  missing: closedLoop('404 as a typed error', ({ client, origin }) => {
    return () => errorOf(client.failing(`${origin}/missing`))
  }),
  flaky: closedLoop('20 % 503, then success', ({ client, origin }) => {
    return (n) => client.flaky(`${origin}/flaky/${process.pid}/${n}`)
  }),
  slow: {
    title: '1,000 concurrent requests that take 500 ms',
    columns: cost,
    run: async ({ client, origin, plan, around }) => {
      const { slowRequests, slowMs } = plan
      await sendAll(() => client.getJson(`${origin}/user`), plan.warmup, plan)
      const load = { ...plan, concurrency: slowRequests, requests: 3 * slowRequests, warmup: 2 * slowRequests }
      return measure(() => client.getJson(`${origin}/slow/${slowMs}`), load, around)
    },
  },
  heap: {
    title: 'Memory of a request in flight',
    columns: [
      { figure: 'heap', title: 'bytes', digits: 0, ratio: 'beside' },
      { figure: 'heap', title: 'above `dispatch`', digits: 0, ratio: 'none', above: 'undici-dispatch' },
      { figure: 'connection', title: 'idle connection', digits: 0, ratio: 'none' },
    ],
    run: async ({ client, origin, plan }) => {
      const { slowRequests: requests, heldMs } = plan
      await sendAll(() => client.getJson(`${origin}/user`), plan.warmup, plan)
      return heapInFlight(client, origin, { requests, heldMs })
    },
  },
  'own-heap': {
    title: 'Memory of a call that waits, undici left out',
    columns: [{ figure: 'own', title: 'bytes', digits: 0, ratio: 'beside' }],
    onStub: true,
    run: async ({ open, client, origin, plan }) => {
      await sendAll(() => client.getJson(`${origin}/user`), plan.warmup, plan)
      return heapOfOwnPart(open, origin, plan.slowRequests)
    },
  },
  growth: {
    title: 'CPU µs of a GET of JSON, by concurrency',
    columns: [
      ...levels.map((level) => ({ figure: `cpu${level}`, title: `${level}`, digits: 1, ratio: 'none' }) as const),
      { figure: 'growth', title: '1000 to 10', digits: 2, ratio: 'none' },
    ],
    run: growth,
  },
} as const satisfies Readonly<Record<string, Workload>>

function closedLoop(title: string, senderOf: (bench: Bench) => SendOne): Workload {
  return { title, columns: cost, run: (bench) => measure(senderOf(bench), bench.plan, bench.around) }
}

/** Upwards, as the connections of the level before stay open. */
async function growth({ client, origin, plan, around }: Bench): Promise<Figures> {
  const found: Record<string, number> = {}
  const send: SendOne = () => client.getJson(`${origin}/user`)
  await sendAll(send, plan.warmup, plan)
  for (const concurrency of levels) {
    // The code is warm; what is missing is the connections.
    const load: Load = { ...plan, concurrency, warmup: 2 * concurrency }
    const { cpu } = await measure(send, load, around)
    found[`cpu${concurrency}`] = cpu as number
  }
  return { ...found, growth: (found.cpu1000 as number) / (found.cpu10 as number) }
}

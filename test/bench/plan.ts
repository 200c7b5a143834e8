import { parseArgs } from 'node:util'
import { baseline, type ClientName, clients } from './clients.ts'
import { type WorkloadName, workloads } from './workloads.ts'

/** How much is measured. */
export interface Plan {
  readonly rounds: number
  /** Requests measured, and those before them that are not. */
  readonly requests: number
  readonly warmup: number
  /** Requests under way at any time. */
  readonly concurrency: number
  /** Longest measurement; it ends with fewer requests then. */
  readonly seconds: number
  /** Requests of the slow workloads, all under way at once, and how long the server takes. */
  readonly slowRequests: number
  readonly slowMs: number
  /** How long the server holds the requests whose memory is measured. */
  readonly heldMs: number
}

/** What a run was asked for. */
export interface Task {
  readonly plan: Plan
  readonly clients: readonly ClientName[]
  readonly workloads: readonly WorkloadName[]
  /** A client and a workload to profile, instead of a run. */
  readonly profile: { readonly client: ClientName; readonly workload: WorkloadName } | undefined
  /** Files of results to report as one, instead of a run. */
  readonly from: readonly string[]
  readonly json: string | undefined
  readonly markdown: boolean
  readonly write: boolean
}

const whole: Plan = {
  rounds: 9,
  requests: 10_000,
  // The code of the slowest clients is optimised for the last time after about so many.
  warmup: 10_000,
  concurrency: 10,
  seconds: 10,
  slowRequests: 1_000,
  slowMs: 500,
  heldMs: 3_000,
}
/** Shows that everything runs; its numbers mean nothing. */
const quick: Plan = { ...whole, rounds: 1, requests: 200, warmup: 50, slowRequests: 100, slowMs: 100, heldMs: 1_000 }
/** Enough samples for functions that take a hundredth of the time. */
const profiling: Plan = { ...whole, requests: 50_000 }

const numbers = { rounds: { type: 'string' }, requests: { type: 'string' }, warmup: { type: 'string' } } as const
const more = { concurrency: { type: 'string' }, seconds: { type: 'string' } } as const
const lists = { clients: { type: 'string' }, workloads: { type: 'string' }, profile: { type: 'string' } } as const
const files = { from: { type: 'string' }, json: { type: 'string' } } as const
const switches = { quick: { type: 'boolean' }, markdown: { type: 'boolean' }, write: { type: 'boolean' } } as const

/** @throws TypeError for an unknown flag or name, and for a number that is none. */
export function readTask(args: readonly string[]): Task {
  const options = { ...numbers, ...more, ...lists, ...files, ...switches }
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  const base = values.quick ? quick : values.profile === undefined ? whole : profiling
  const given = Object.keys({ ...numbers, ...more }) as (keyof typeof numbers | keyof typeof more)[]
  const plan = Object.fromEntries(given.map((name) => [name, count(name, values[name] ?? base[name])]))
  return {
    plan: { ...base, ...plan },
    clients: named('client', clients, values.clients, [baseline]),
    workloads: named('workload', workloads, values.workloads, []),
    profile: values.profile === undefined ? undefined : profiled(values.profile, positionals[0] ?? 'get-json'),
    from: values.from?.split(',') ?? [],
    json: values.json,
    markdown: values.markdown ?? false,
    write: values.write ?? false,
  }
}

/** The chosen names in the order of the tables; all when none is chosen. */
function named<Name extends string>(
  kind: string,
  table: Record<Name, unknown>,
  list: string | undefined,
  always: Name[],
): Name[] {
  const all = Object.keys(table) as Name[]
  if (list === undefined) return all
  const chosen = list.split(',').map((name) => known(kind, table, name))
  return all.filter((name) => chosen.includes(name) || always.includes(name))
}

function profiled(client: string, workload: string): NonNullable<Task['profile']> {
  return { client: known('client', clients, client), workload: known('workload', workloads, workload) }
}

function known<Name extends string>(kind: string, table: Record<Name, unknown>, name: string): Name {
  if (Object.hasOwn(table, name)) return name as Name
  throw new TypeError(`unknown ${kind} ${JSON.stringify(name)}; known are ${Object.keys(table).join(', ')}`)
}

function count(name: string, value: string | number): number {
  const number = Number(value)
  if (Number.isInteger(number) && number > 0) return number
  throw new TypeError(`--${name} must be a whole number above 0, got ${JSON.stringify(value)}`)
}

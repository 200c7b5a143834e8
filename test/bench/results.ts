import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { baseline, type ClientName, clients } from './clients.ts'
import type { Figures } from './measure.ts'
import type { Plan } from './plan.ts'
import { median } from './statistics.ts'
import type { WorkloadName } from './workloads.ts'

/** What one child process found. */
export interface Sample {
  readonly round: number
  readonly client: ClientName
  readonly workload: WorkloadName
  readonly figures: Figures
}

/** A whole run, as `--json` writes it and `--from` reads it. */
export interface Results {
  readonly environment: Readonly<Record<string, string>>
  readonly plan: Plan
  readonly samples: readonly Sample[]
}

/** Several runs as one: the rounds of the later follow those of the earlier. */
export function merged(runs: readonly Results[]): Results {
  const [first] = runs
  if (first === undefined) throw new TypeError('no results to merge')
  const samples: Sample[] = []
  let environment = first.environment
  for (const run of runs) {
    const before = samples.reduce((most, { round }) => Math.max(most, round), 0)
    samples.push(...run.samples.map((sample) => ({ ...sample, round: before + sample.round })))
    environment = { ...environment, ...run.environment }
  }
  return { environment, plan: first.plan, samples }
}

/** How often the clients took turns at a workload. */
export function roundsOf(samples: readonly Sample[], workload: WorkloadName): number {
  return new Set(samples.filter((sample) => sample.workload === workload).map(({ round }) => round)).size
}

/** One figure of a client over all rounds. */
export interface Summary {
  readonly median: number
  /** Median, smallest and largest of the ratios to another client in the same round. */
  readonly ratio: number
  readonly least: number
  readonly most: number
  /** Median of the differences to the other client in the same round. */
  readonly above: number
}

/** The figure of a client, compared with another; undefined where it was not measured. */
export function summaryOf(
  samples: readonly Sample[],
  { workload, client, figure }: { workload: WorkloadName; client: ClientName; figure: string },
  other: ClientName = baseline,
): Summary | undefined {
  const byRound = (name: ClientName): Map<number, number> => {
    const own = samples.filter((sample) => sample.workload === workload && sample.client === name)
    return new Map(own.flatMap(({ round, figures }) => (figures[figure] === undefined ? [] : [[round, figures[figure]]])))
  }
  const values = byRound(client)
  const others = byRound(other)
  if (values.size === 0) return undefined
  const pairs = [...values].flatMap(([round, value]) =>
    others.has(round) ? [[value, others.get(round) as number] as const] : [],
  )
  const ratios = pairs.map(([value, base]) => value / base)
  return {
    median: median([...values.values()]),
    ratio: median(ratios),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    above: median(pairs.map(([value, base]) => value - base)),
  }
}

/** The machine, and the versions of what is measured. */
export function environmentOf(names: readonly ClientName[]): Record<string, string> {
  const packages = new Set(names.flatMap((name): readonly string[] => clients[name].packages))
  const processors = cpus()
  return {
    machine: `${processors.length} cores, ${processors[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release()}`,
    'Node.js': process.versions.node,
    ...Object.fromEntries([...packages].map((name) => [name, versionOf(name)])),
  }
}

/** undici and p-retry are those of steadfetch itself. */
function versionOf(name: string): string {
  const root = join(import.meta.dirname, '../..')
  const folder = name === 'undici' || name === 'p-retry' ? root : import.meta.dirname
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version
}

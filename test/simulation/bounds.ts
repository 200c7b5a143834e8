import type { Figures } from './figures.ts'
import type { Result } from './job.ts'
import { carries, type ScenarioName } from './scenarios.ts'

/** What must be true of steadfetch with its defaults, at one load. */
export interface Bound {
  readonly title: string
  /** Whether it is held against a load, too, that the healthy servers could not take: there no client answers well. */
  readonly always: boolean
  /** Given the figures of its seeds, and those of the same seeds without retries. */
  readonly holds: (all: readonly Figures[], none: readonly (Figures | undefined)[]) => boolean
}

const amplification = (most: number): Bound => ({
  title: `amplification <= ${most.toFixed(2)}`,
  always: true,
  holds: (all) => meanOf(all, 'amplification') <= most,
})
const goodput = (least: number): Bound => ({
  title: `goodput >= ${least}`,
  always: false,
  holds: (all) => meanOf(all, 'goodput') >= least,
})
const recovery = (mostMs: number): Bound => ({
  title: `recovery <= ${mostMs / 1_000} s`,
  always: false,
  holds: (all) => all.every(({ recoveryMs }) => recoveryMs !== null && recoveryMs <= mostMs),
})
const recoveryAsNone: Bound = {
  title: 'recovery <= 1.1 that of none',
  always: false,
  holds: (all, none) =>
    all.every(({ recoveryMs }, index) => {
      const noneMs = none[index]?.recoveryMs ?? Infinity
      return (recoveryMs ?? Infinity) <= 1.1 * noneMs
    }),
}

/** The bounds of each scenario. */
export const bounds: Readonly<Record<ScenarioName, readonly Bound[]>> = {
  outage: [amplification(1.1), recovery(6_000)],
  errors: [goodput(0.97), amplification(1.4)],
  brownout: [amplification(1.1), recoveryAsNone],
  burst: [amplification(1.25), goodput(0.45)],
  slow: [amplification(1.1), goodput(0.99)],
  endpoint: [goodput(0.999), amplification(1.05)],
  'endpoint-hangs': [],
}

/** The client that the bounds are for. */
export const boundClient = 'steadfetch'

/** The titles of the bounds of a scenario that do not hold at a load; none when the client was not run there. */
export function broken(scenario: ScenarioName, load: number, results: readonly Result[]): string[] {
  const runs = results.filter(({ job }) => job.scenario === scenario && job.load === load)
  const own = runs.filter(({ job }) => job.client === boundClient)
  if (own.length === 0) return []
  const carried = own.every(({ job }) => carries(scenario, load, job.capacity))
  const none = own.map(({ job }) => runs.find((run) => run.job.client === 'none' && run.job.seed === job.seed)?.figures)
  const all = own.map(({ figures }) => figures)
  const binding = bounds[scenario].filter(({ always }) => always || carried)
  return binding.filter(({ holds }) => !holds(all, none)).map(({ title }) => title)
}

function meanOf(all: readonly Figures[], name: 'amplification' | 'goodput'): number {
  return all.reduce((sum, figures) => sum + figures[name], 0) / all.length
}

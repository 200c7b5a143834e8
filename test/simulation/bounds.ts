import type { Figures } from './figures.ts'
import type { Result } from './job.ts'
import type { ScenarioName } from './scenarios.ts'

/** What must be true of every run of steadfetch with its defaults. */
export interface Bound {
  readonly title: string
  /** Given its figures, and those of the same seed and load without retries. */
  readonly holds: (figures: Figures, none: Figures | undefined) => boolean
}

/** Goodput is looked at second by second, so that recoveries differ by up to one for nothing. */
const resolutionMs = 1_000

const amplification = (most: number): Bound => ({
  title: `amplification <= ${most.toFixed(2)}`,
  holds: (figures) => figures.amplification <= most,
})
const goodput = (least: number): Bound => ({ title: `goodput >= ${least}`, holds: (figures) => figures.goodput >= least })
const recovery = (mostMs: number): Bound => ({
  title: `recovery <= ${mostMs / 1_000} s`,
  holds: ({ recoveryMs }) => recoveryMs !== null && recoveryMs <= mostMs,
})
const recoveryAsNone: Bound = {
  title: 'recovery <= 1.1 that of none, and a second',
  holds: ({ recoveryMs }, none) => {
    const noneMs = none?.recoveryMs ?? null
    if (recoveryMs === null) return noneMs === null && none !== undefined
    return noneMs === null || recoveryMs <= 1.1 * noneMs + resolutionMs
  },
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

/** The titles of bounds that do not hold, of a scenario and a load, for at least one seed. */
export function broken(scenario: ScenarioName, load: number, results: readonly Result[]): string[] {
  const runs = results.filter(({ job }) => job.scenario === scenario && job.load === load)
  const own = runs.filter(({ job }) => job.client === boundClient)
  const noneOf = (seed: number): Figures | undefined =>
    runs.find(({ job }) => job.client === 'none' && job.seed === seed)?.figures
  return bounds[scenario]
    .filter(({ holds }) => !own.every(({ job, figures }) => holds(figures, noneOf(job.seed))))
    .map(({ title }) => title)
}

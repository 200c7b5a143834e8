import type { Series } from './figures.ts'
import type { Result } from './job.ts'
import { type Scenario, type ScenarioName, scenarios } from './scenarios.ts'

/** The course of one client in the run that charts show. */
export interface Course {
  readonly client: string
  readonly load: number
  readonly seed: number
  /** Requests per second. */
  readonly requests: readonly number[]
  /** The share of the calls of each second that succeeded. */
  readonly goodput: readonly number[]
  /** Seconds at which the fault begins, and how many it lasts. */
  readonly faultFromS: number
  readonly faultS: number
}

/** What charts show of a scenario: its first seed, at the load nearest to 1. */
export function coursesOf(scenario: ScenarioName, results: readonly Result[]): Course[] {
  const { faultMs }: Scenario = scenarios[scenario]
  const runs = results.filter(({ job }) => job.scenario === scenario)
  const nearest = Math.min(...runs.map(({ job }) => Math.abs(job.load - 1)))
  const shown = runs.filter(({ job }) => Math.abs(job.load - 1) === nearest)
  return shown
    .filter(({ job }) => job.seed === shown[0]?.job.seed && job.load === shown[0]?.job.load)
    .map(({ job, figures: { series } }) => ({
      client: job.client,
      load: job.load,
      seed: job.seed,
      requests: series.requests.slice(0, series.calls.length),
      goodput: goodputOf(series),
      faultFromS: job.phases.healthyMs / 1_000,
      faultS: (faultMs ?? job.phases.faultMs) / 1_000,
    }))
}

function goodputOf({ calls, good }: Series): number[] {
  return calls.map((count, second) => (count === 0 ? 1 : (good[second] as number) / count))
}

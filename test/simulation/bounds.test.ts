import { describe, expect, test } from 'vitest'
import { bounds, broken } from './bounds.ts'
import { type Job, type Result, runJob } from './job.ts'
import type { ScenarioName } from './scenarios.ts'

/** `npm run simulate` holds all bounds against longer runs of more seeds. */
const phases = { healthyMs: 5_000, faultMs: 30_000, afterMs: 10_000, drainMs: 10_000 }

/** The seeds of a scenario: where the share of failures is near to its bound, one run is too short to tell. */
const seeds: Partial<Record<ScenarioName, readonly number[]>> = {
  outage: [1],
  errors: [1, 2, 3],
  brownout: [1],
  burst: [1],
  slow: [1],
}

describe.for(Object.entries(seeds) as [ScenarioName, readonly number[]][])('in the scenario %s', ([scenario, chosen]) => {
  test.for([0.5, 2])(`${bounds[scenario].map(({ title }) => title).join(' and ')} hold at load %d`, async (load) => {
    const results: Result[] = []
    for (const seed of chosen) {
      for (const client of ['steadfetch', 'none']) {
        const job: Job = { scenario, client, load, seed, processes: 40, capacity: 1, phases }
        results.push(await runJob(job))
      }
    }
    expect(broken(scenario, load, results)).toEqual([])
  })
})

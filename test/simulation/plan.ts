import { parseArgs } from 'node:util'
import { clients } from './clients.ts'
import type { Job } from './job.ts'
import { type ScenarioName, scenarios } from './scenarios.ts'
import { defaultPhases } from './world.ts'

/** What is to be run, and where its results go. */
export interface Plan {
  readonly scenarios: readonly ScenarioName[]
  readonly clients: readonly string[]
  readonly loads: readonly number[]
  readonly seeds: readonly number[]
  readonly jobs: readonly Job[]
  /** File names; undefined when nothing is to be written. */
  readonly svg: string | undefined
  readonly json: string | undefined
}

/**
 * Reads the command line.
 *
 * @throws TypeError for an argument that means nothing.
 */
export function planOf(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '1,2,3,4,5' },
      loads: { type: 'string' },
      load: { type: 'string', default: '0.5,1,2' },
      processes: { type: 'string', default: '40' },
      capacity: { type: 'string', default: '1' },
      fault: { type: 'string', default: String(defaultPhases.faultMs / 1_000) },
      scenarios: { type: 'string', default: Object.keys(scenarios).join(',') },
      clients: { type: 'string', default: Object.keys(clients).join(',') },
      svg: { type: 'string' },
      json: { type: 'string' },
    },
  })
  const seeds = values.seeds.split(',').map((text) => numberOf('seeds', text))
  const loads = (values.loads ?? values.load).split(',').map((text) => numberOf('load', text))
  const chosen = namesOf('scenarios', values.scenarios, Object.keys(scenarios)) as ScenarioName[]
  const contestants = namesOf('clients', values.clients, Object.keys(clients))
  const jobs = chosen.flatMap((scenario) =>
    measured(scenario, contestants).flatMap((client) =>
      loads.flatMap((load) =>
        seeds.map((seed) => ({
          scenario,
          client,
          load,
          seed,
          processes: numberOf('processes', values.processes),
          capacity: numberOf('capacity', values.capacity),
          phases: { ...defaultPhases, faultMs: 1_000 * numberOf('fault', values.fault) },
        })),
      ),
    ),
  )
  return { scenarios: chosen, clients: contestants, loads, seeds, jobs, svg: values.svg, json: values.json }
}

/** The clients that take part; the bound of a brownout also needs to know how one fares without retries. */
function measured(scenario: ScenarioName, contestants: readonly string[]): readonly string[] {
  const compared = scenario === 'brownout' && contestants.includes('steadfetch') && !contestants.includes('none')
  return compared ? [...contestants, 'none'] : contestants
}

function numberOf(option: string, text: string): number {
  const number = Number(text)
  if (text.trim() !== '' && number > 0 && number < Infinity) return number
  throw new TypeError(`--${option}: "${text}" is not a number above 0`)
}

function namesOf(option: string, text: string, known: readonly string[]): string[] {
  const names = text.split(',')
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return names
  throw new TypeError(`--${option}: "${unknown}" is none of ${known.join(', ')}`)
}

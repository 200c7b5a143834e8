import { arrivalsOf } from './arrivals.ts'
import { Calls } from './calls.ts'
import { type Chance, chanceOf } from './chance.ts'
import type { Open } from './client.ts'
import { VirtualClock } from './clock.ts'
import { callsPerSecond, type Scenario, type ScenarioName, scenarios, usualProcesses } from './scenarios.ts'
import { Site } from './site.ts'

/** The lengths of a run's phases, in milliseconds. */
export interface Phases {
  readonly healthyMs: number
  /** For scenarios whose fault has no length of its own. */
  readonly faultMs: number
  readonly afterMs: number
  /** How long calls still under way are waited for at the end. */
  readonly drainMs: number
}

/** What a run simulates. */
export interface RunOptions {
  readonly scenario: ScenarioName
  readonly seed: number
  /** By how much more calls are made than 14 per second and process. */
  readonly load: number
  readonly processes: number
  /** By how much the servers are larger than those that suit the number of processes. */
  readonly capacity: number
  readonly phases: Phases
}

/** The phases of a run unless it is told otherwise. */
export const defaultPhases: Phases = { healthyMs: 20_000, faultMs: 60_000, afterMs: 60_000, drainMs: 40_000 }

/** What happened in a run. */
export interface Happened {
  readonly calls: Calls
  /** Milliseconds of virtual time of the fault's beginning and end, and of the last arrivals. */
  readonly faultFromMs: number
  readonly faultUntilMs: number
  readonly untilMs: number
  /** Calls that start from the beginning of the fault to this moment are measured. */
  readonly measuredUntilMs: number
}

/** Runs one scenario with one kind of client from its beginning to the end of its calls. */
export async function simulate(open: Open, options: RunOptions): Promise<Happened> {
  const { seed, load, processes, phases } = options
  const scenario: Scenario = scenarios[options.scenario]
  const faultFromMs = phases.healthyMs
  const faultUntilMs = faultFromMs + (scenario.faultMs ?? phases.faultMs)
  const untilMs = faultUntilMs + phases.afterMs
  const clock = new VirtualClock()
  const site = new Site({ clock, seed, scenario, capacity: (options.capacity * processes) / usualProcesses })
  const calls = new Calls()
  clock.quietly(faultFromMs, () => site.suffer(scenario.fault))
  clock.quietly(faultUntilMs, () => site.suffer({}))
  const rate = callsPerSecond * load
  const stretches = [
    { untilMs: faultFromMs, callsPerSecond: rate },
    { untilMs: faultUntilMs, callsPerSecond: rate * (scenario.fault.load ?? 1) },
    { untilMs, callsPerSecond: rate },
  ]
  for (let process = 0; process < processes; process += 1) {
    const random = chanceOf(seed, 'client', process)
    const call = populate(open, { clock, site, calls, servers: scenario.servers, random })
    follow(clock, arrivalsOf(stretches, chanceOf(seed, 'arrivals', process)), call)
  }
  await clock.run(() => clock.now() >= untilMs && (calls.pending === 0 || clock.now() >= untilMs + phases.drainMs))
  return { calls, faultFromMs, faultUntilMs, untilMs, measuredUntilMs: faultUntilMs + scenario.measuredAfterMs }
}

interface Surroundings {
  readonly clock: VirtualClock
  readonly site: Site
  readonly calls: Calls
  readonly servers: number
  readonly random: Chance
}

/** One process; returns how it makes a call. */
function populate(open: Open, { clock, site, calls, servers, random }: Surroundings): () => void {
  const fetch = open({
    clock,
    random,
    servers,
    send: (call, server, answered) => {
      calls.sent(call, clock.now())
      site.send(server, answered)
    },
  })
  return () => {
    const call = calls.start(clock.now())
    void fetch(call).then((succeeded) => calls.end(call, succeeded, clock.now()))
  }
}

/** Makes a call at each of the moments. */
function follow(clock: VirtualClock, moments: readonly number[], call: () => void): void {
  let next = 0
  const arrive = (): void => {
    call()
    enter()
  }
  const enter = (): void => {
    const atMs = moments[next]
    next += 1
    if (atMs !== undefined) clock.after(Math.max(0, atMs - clock.now()), arrive)
  }
  enter()
}

import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { ClientName } from './clients.ts'
import type { Figures } from './measure.ts'
import type { Plan } from './plan.ts'
import type { ProfileRow } from './profile.ts'
import type { WorkloadName } from './workloads.ts'

/** What one child process is to measure. */
export interface Job {
  readonly client: ClientName
  readonly workload: WorkloadName
  readonly origin: string
  readonly plan: Plan
  readonly profile: boolean
}

/** What it found. */
export interface Found {
  readonly figures: Figures
  readonly profile: readonly ProfileRow[]
}

/** No proxy and no option of Node.js that happens to be set here may have a say. */
const options = { env: { PATH: process.env.PATH }, execArgv: ['--expose-gc'] }
const longestMs = 180_000

/** Runs one job in a process of its own. */
export function runJob(job: Job): Promise<Found> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'client.ts'), [JSON.stringify(job)], { ...options, timeout: longestMs })
    let found: Found | undefined
    child.once('message', (message) => {
      found = message as Found
    })
    // Only when it is gone the next may begin: two cores are enough for one client and the server.
    child.once('exit', (code, signal) => {
      if (found !== undefined) resolve(found)
      else reject(new Error(`${job.client}, ${job.workload}: ended with ${code ?? signal}`))
    })
  })
}

/** Starts the server, which ends with this process. */
export function startServer(): Promise<{ readonly origin: string; stop(): void }> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'server.ts'), [], options)
    child.once('message', (port) => resolve({ origin: `http://127.0.0.1:${port}`, stop: () => child.kill() }))
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
}

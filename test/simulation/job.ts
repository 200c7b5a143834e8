import { clients } from './clients.ts'
import { type Figures, figuresOf } from './figures.ts'
import { type RunOptions, simulate } from './world.ts'

/** One run of one client. */
export interface Job extends RunOptions {
  readonly client: string
}

/** What a job came to. */
export interface Result {
  readonly job: Job
  readonly figures: Figures
}

/** Runs a job in this thread; stacks of errors, which nobody reads here, are not taken. */
export async function runJob(job: Job): Promise<Result> {
  const open = clients[job.client]
  if (open === undefined) throw new RangeError(`there is no client ${job.client}`)
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return { job, figures: figuresOf(await simulate(open, job)) }
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

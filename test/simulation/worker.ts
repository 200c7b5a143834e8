// A thread of the pool: a job comes in, its result goes out.
import { parentPort } from 'node:worker_threads'
import { type Job, runJob } from './job.ts'

parentPort?.on('message', async (job: Job) => {
  parentPort?.postMessage(await runJob(job))
})

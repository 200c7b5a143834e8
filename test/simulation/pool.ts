import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Job, Result } from './job.ts'

/** Runs the jobs on all cores; results come in the order of the jobs, `done` hears of each as it ends. */
export async function runAll(jobs: readonly Job[], done: (result: Result) => void): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url))
    try {
      for (let index = next++; index < jobs.length; index = next++) {
        const result = await runIn(worker, jobs[index] as Job)
        results[index] = result
        done(result)
      }
    } finally {
      await worker.terminate()
    }
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), jobs.length) }, work))
  return results
}

function runIn(worker: Worker, job: Job): Promise<Result> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners()
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.postMessage(job)
  })
}

// npm run bench: every client in a process of its own, in random order, round after round. See README.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { clients } from './clients.ts'
import { hotspots } from './hotspots.ts'
import { runJob, startServer } from './job.ts'
import { installPeers } from './peers.ts'
import { readTask, type Task } from './plan.ts'
import { markdownReport, plainReport, writeReadme } from './report.ts'
import { environmentOf, merged, type Results, type Sample } from './results.ts'
import { shuffled } from './statistics.ts'
import { type WorkloadName, workloads } from './workloads.ts'

const task = readTask(process.argv.slice(2))
if (task.profile !== undefined) await profile(task.profile)
else report(task.from.length === 0 ? await run() : merged(task.from.map(read)))

async function run(): Promise<Results> {
  installPeers()
  const server = await startServer()
  const samples: Sample[] = []
  const results: Results = { environment: environmentOf(task.clients), plan: task.plan, samples }
  for (let round = 1; round <= task.plan.rounds; round += 1) {
    // All clients at one workload, then at the next, so that what is compared is close in time.
    for (const workload of task.workloads) {
      console.error(`round ${round} of ${task.plan.rounds}: ${workload}`)
      samples.push(...(await oneTurn(round, workload, server.origin)))
      // What is measured stays measured when the rest is interrupted.
      save(results)
    }
  }
  server.stop()
  return results
}

async function oneTurn(round: number, workload: WorkloadName, origin: string): Promise<Sample[]> {
  const samples: Sample[] = []
  const able = task.clients.filter((client) => 'stubbed' in clients[client] || !('onStub' in workloads[workload]))
  for (const client of shuffled(able)) {
    try {
      const { figures } = await runJob({ client, workload, origin, plan: task.plan, profile: false })
      samples.push({ round, client, workload, figures })
    } catch (error) {
      // An hour of measuring is not thrown away for one that failed; its cells stay empty.
      console.error(String(error))
      process.exitCode = 1
    }
  }
  return samples
}

function read(file: string): Results {
  return JSON.parse(readFileSync(file, 'utf8'))
}

function save(results: Results): void {
  if (task.json !== undefined) writeFileSync(task.json, `${JSON.stringify(results, null, 1)}\n`)
}

function report(results: Results): void {
  save(results)
  if (task.write) writeReadme(results)
  console.log(task.markdown ? markdownReport(results) : plainReport(results))
}

async function profile({ client, workload }: NonNullable<Task['profile']>): Promise<void> {
  installPeers()
  const server = await startServer()
  const { figures, profile: rows } = await runJob({ client, workload, origin: server.origin, plan: task.plan, profile: true })
  server.stop()
  console.log(`${clients[client].title}, ${workload}`, figures)
  console.log(hotspots(rows))
}

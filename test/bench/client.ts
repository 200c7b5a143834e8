// The child process of one measurement: one client, one workload.
import { check } from './check.ts'
import { load } from './clients.ts'
import type { Found, Job } from './job.ts'
import { type ProfileRow, profiled } from './profile.ts'
import { type Bench, workloads } from './workloads.ts'

process.on('disconnect', () => process.exit())
const job = JSON.parse(process.argv[2] as string) as Job
const { origin, plan } = job
const open = await load(job.client)
const client = open(origin)
await check(client, origin)

const profile: ProfileRow[] = []
const around: Bench['around'] = job.profile ? (work) => profiled(work, profile) : (work) => work()
const figures = await workloads[job.workload].run({ open, client, origin, plan, around })
const found: Found = { figures, profile }
// Connections and timers of the client may be open for long; nothing is left to be done.
process.send?.(found, undefined, {}, () => process.exit())

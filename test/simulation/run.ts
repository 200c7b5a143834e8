// npm run simulate: steadfetch and the policies of other clients in one world in virtual time, scenario by scenario.
import { writeFileSync } from 'node:fs'
import { boundClient, broken } from './bounds.ts'
import { coursesOf } from './course.ts'
import { drawingOf } from './drawing.ts'
import { type Plan, planOf } from './plan.ts'
import { runAll } from './pool.ts'
import { scenarios } from './scenarios.ts'
import { sparklinesOf } from './sparkline.ts'
import { tableOf } from './table.ts'

const plan = planOf(process.argv.slice(2))
process.exitCode = (await runPlan(plan)) ? 0 : 1

/** Whether all bounds hold. */
async function runPlan({ jobs, loads, ...plan }: Plan): Promise<boolean> {
  let ended = 0
  const results = await runAll(jobs, ({ job }) => {
    ended += 1
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${ended} of ${jobs.length}: ${job.scenario}, ${job.client}`)
  })
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  const sheets = plan.scenarios.map((scenario) => ({ scenario, courses: coursesOf(scenario, results) }))
  for (const { scenario, courses } of sheets) {
    console.log(`${tableOf(scenario, results)}\n\n${sparklinesOf(courses)}\n`)
  }
  if (plan.json !== undefined) writeFileSync(plan.json, `${JSON.stringify(results)}\n`)
  if (plan.svg !== undefined) {
    const titled = sheets.map(({ scenario, courses }) => ({ title: `${scenario}: ${scenarios[scenario].title}`, courses }))
    writeFileSync(plan.svg, drawingOf(titled))
  }
  if (!plan.clients.includes(boundClient)) return true
  const failures = plan.scenarios.flatMap((scenario) =>
    loads.flatMap((load) => broken(scenario, load, results).map((title) => `${scenario} at load ${load}: ${title}`)),
  )
  console.log(failures.length === 0 ? 'All bounds hold.' : `Bounds that do not hold:\n${failures.join('\n')}`)
  return failures.length === 0
}

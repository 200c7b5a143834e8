// npm run soak:faults: minutes of mixed faults against every kind of client; each call has to end well, or with a typed error.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { soak } from './soak.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    concurrency: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})

/** Lines of a name and a number, the largest first. */
function table(title: string, tally: Readonly<Record<string, number>>): string {
  const lines = Object.entries(tally).sort(([, one], [, other]) => other - one)
  return [`\n${title}`, ...lines.map(([name, calls]) => `${String(calls).padStart(9)}  ${name.replace(/\*$/, '')}`)].join('\n')
}

if (globalThis.gc === undefined) {
  const file = fileURLToPath(import.meta.url)
  const { status } = spawnSync(process.execPath, ['--expose-gc', file, ...process.argv.slice(2)], { stdio: 'inherit' })
  process.exitCode = status ?? 1
} else {
  const soaked = await soak({
    minutes: Number(values.minutes),
    concurrency: Number(values.concurrency),
    seed: Number(values.seed),
    progress: (text) => console.error(text),
  })
  const { outcomes, replies, violations, ...figures } = soaked
  if (values.json) console.log(JSON.stringify(soaked))
  else {
    console.log(table('what came of the calls', outcomes))
    console.log(table('what the servers did', replies))
    console.log(`\n${JSON.stringify(figures)}\n`)
    console.log(violations.length === 0 ? 'no violations' : `violations:\n${violations.join('\n')}`)
  }
  process.exitCode = violations.length === 0 ? 0 : 1
}

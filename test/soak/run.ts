// npm run soak: very many calls, most of them in some trouble, through the built package; nothing may be left behind.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { soak } from './soak.ts'

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200000' },
    concurrency: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
  },
})

if (globalThis.gc === undefined) {
  const file = fileURLToPath(import.meta.url)
  const { status } = spawnSync(process.execPath, ['--expose-gc', file, ...process.argv.slice(2)], { stdio: 'inherit' })
  process.exitCode = status ?? 1
} else {
  const { violations, ...figures } = await soak({
    requests: Number(values.requests),
    concurrency: Number(values.concurrency),
    seed: Number(values.seed),
  })
  console.log(JSON.stringify({ ...figures, violations }))
  process.exitCode = violations.length === 0 ? 0 : 1
}

// Runs every example in a process of its own; one that fails or takes over 20 s fails the run.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

const names = readdirSync(import.meta.dirname).filter((name) => /^\d\d-.*\.ts$/.test(name))
const failed = names.filter((name) => {
  console.log(`\n# ${name}`)
  const { status } = spawnSync(process.execPath, [name], { cwd: import.meta.dirname, stdio: 'inherit', timeout: 20_000 })
  return status !== 0
})
console.log(
  `\n${names.length - failed.length} passed, ${failed.length} failed${failed.length > 0 ? `: ${failed.join(', ')}` : ''}`,
)
process.exitCode = failed.length > 0 ? 1 : 0

// What CI runs: every check after the other, and one closing line that counts them and the tests.
// `--full` adds what needs more than Node: nginx, and the other Node.js lines from the registry.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Check {
  readonly name: string
  readonly script: string
  /** Arguments of vitest, whose tests are counted one by one. */
  readonly vitest?: readonly string[]
}

const checks: readonly Check[] = [
  { name: 'types', script: 'typecheck' },
  { name: 'lint', script: 'lint' },
  { name: 'tests and coverage', script: 'coverage', vitest: [] },
  { name: 'public types', script: 'test:types' },
  { name: 'package', script: 'package' },
  { name: 'examples', script: 'examples' },
  { name: 'tour', script: 'start' },
]
const fullChecks: readonly Check[] = [
  { name: 'nginx', script: 'test:integration', vitest: [] },
  { name: 'Node.js lines', script: 'test:nodes' },
]

const folder = mkdtempSync(join(tmpdir(), 'steadfetch-check-'))
let passed = 0
let failed = 0
for (const check of process.argv.includes('--full') ? [...checks, ...fullChecks] : checks) runCheck(check)
rmSync(folder, { recursive: true, force: true })
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

function runCheck({ name, script, vitest }: Check): void {
  console.log(`\n== ${name}`)
  const report = join(folder, `${script.replace(':', '-')}.json`)
  const reporters = vitest === undefined ? [] : ['--', '--reporter=dot', '--reporter=json', `--outputFile.json=${report}`]
  const { status } = spawnSync('npm', ['run', '--silent', script, ...reporters], { stdio: 'inherit' })
  const counts = vitest === undefined ? { numPassedTests: status === 0 ? 1 : 0, numFailedTests: 0 } : read(report)
  passed += counts.numPassedTests
  failed += counts.numFailedTests > 0 || status === 0 ? counts.numFailedTests : 1
}

function read(report: string): { numPassedTests: number; numFailedTests: number } {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return { numPassedTests: 0, numFailedTests: 1 }
  }
}

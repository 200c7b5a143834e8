// npm run mutate [files]: how many small changes to what decides are noticed by a test. The results of earlier runs are used
// again for what has not changed since. What runs while a file is loaded is mutated in the status table alone, for it would
// need all tests. Stryker is of no use to anything else, and is installed beside this file.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Report {
  readonly files: Readonly<Record<string, { readonly mutants: readonly { readonly status: string }[] }>>
}

const root = join(import.meta.dirname, '../..')
const leastScore = 85
const wanted = process.argv.slice(2)
/** Files that are mutated in one go: what an interrupted run has done is kept. */
const filesAtATime = 6

/** What each call passes, or what all files read. */
const options = ['policies', 'checks', 'ask', 'flights'].map((name) => `src/policy/${name}.ts`)

/** Files with the tests that are run for them, see vitest.config.ts, and how Stryker is to take what runs while a file is loaded. */
const parts = [
  { name: 'status', files: filesIn('src/status'), flag: '--force' },
  { name: 'options', files: options, flag: '--ignoreStatic' },
  { name: 'policy', files: filesIn('src/policy').filter((file) => !options.includes(file)), flag: '--ignoreStatic' },
] as const

install()
for (const { name, files, flag } of parts) for (const slice of inSlices(files.filter(isWanted))) mutate(name, slice, flag)
process.exitCode = report() < leastScore ? 1 : 0

function install(): void {
  if (existsSync(join(import.meta.dirname, 'node_modules'))) return
  console.error('installing Stryker into test/mutation/node_modules')
  // Its peer, vitest, is that of the repository.
  const args = ['ci', '--prefix', import.meta.dirname, '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund']
  const { status } = spawnSync('npm', args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error('npm ci failed in test/mutation')
}

function filesIn(folder: string): string[] {
  return globSync(`${folder}/**/*.ts`, { cwd: root }).sort()
}

function isWanted(file: string): boolean {
  return wanted.length === 0 || wanted.some((name) => file.endsWith(name))
}

function inSlices(files: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(files.length / filesAtATime) }, (_, slice) =>
    files.slice(slice * filesAtATime, (slice + 1) * filesAtATime),
  )
}

function mutate(part: string, files: readonly string[], flag: string): void {
  const stryker = join(import.meta.dirname, 'node_modules/@stryker-mutator/core/bin/stryker.js')
  const config = join(import.meta.dirname, 'stryker.config.json')
  const args = [stryker, 'run', config, '--mutate', files.join(), '--incrementalFile', reportOf(part), flag]
  const { status } = spawnSync('node', args, { cwd: root, stdio: 'inherit', env: { ...process.env, MUTATED: part } })
  if (status !== 0) throw new Error(`Stryker failed for ${files.join(', ')}`)
}

function reportOf(part: string): string {
  return join(import.meta.dirname, 'reports', `${part}-incremental.json`)
}

/** Prints the score of each file; gives that of all. */
function report(): number {
  const files = parts
    .map(({ name }) => reportOf(name))
    .filter(existsSync)
    .flatMap((file) => Object.entries(read(file).files))
  const rows = files.map(([name, { mutants }]) => {
    const count = (...states: string[]): number => mutants.filter(({ status }) => states.includes(status)).length
    return { name, killed: count('Killed', 'Timeout'), survived: count('Survived', 'NoCoverage') }
  })
  const sum = (key: 'killed' | 'survived'): number => rows.reduce((total, row) => total + row[key], 0)
  const all = { name: 'all', killed: sum('killed'), survived: sum('survived') }
  const score = ({ killed, survived }: { killed: number; survived: number }): number => (100 * killed) / (killed + survived)
  for (const row of [...rows, all].filter(({ killed, survived }) => killed + survived > 0)) {
    console.log(`${row.name.padEnd(36)} ${score(row).toFixed(1).padStart(5)} % of ${row.killed + row.survived}`)
  }
  return score(all)
}

function read(file: string): Report {
  return JSON.parse(readFileSync(file, 'utf8'))
}

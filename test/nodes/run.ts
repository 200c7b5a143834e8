// What a user installs, on every Node.js line that is supported: the packed package, its types, the drop-in test with msw.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const nodes = ['22.19.0', '22.23.3', '24.21.0', '26.10.0']
/** The first and the last of them run the whole test suite, too; what lies between is our own, or like the first. */
const extremes = [nodes[0], nodes.at(-1)]
const nodeTypes = ['22.19.0', '24.10.1', '26.6.6']
const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'steadfetch-'))
let failed = 0

try {
  const tarball = packed()
  for (const version of nodes) onNode(version, tarball)
  for (const version of nodeTypes) withTypes(version, tarball)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = failed > 0 ? 1 : 0

function packed(): string {
  run('npm', ['pack', '--silent', '--pack-destination', folder], root)
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) as string)
}

function onNode(version: string, tarball: string): void {
  const consumer = project(`node-${version}`, [tarball, `node@${version}`])
  const node = join(consumer, 'node_modules/node/bin/node')
  copyFileSync(join(import.meta.dirname, 'consumer.mjs'), join(consumer, 'consumer.mjs'))
  step(`Node ${version}: every export of the packed package`, () => run(node, ['consumer.mjs'], consumer))
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  step(`Node ${version}: mocks of msw keep working`, () => run(node, [vitest, 'run', 'test/unit/msw.test.ts'], root))
  if (!extremes.includes(version)) return
  // A world in virtual time is the same on all of them.
  const others = ['run', '--exclude', 'test/simulation/bounds.test.ts']
  step(`Node ${version}: the whole test suite`, () => run(node, [vitest, ...others], root))
}

function withTypes(version: string, tarball: string): void {
  const consumer = project(`types-${version}`, [tarball, `@types/node@${version}`])
  copyFileSync(join(root, 'test/types/public-types.ts'), join(consumer, 'public-types.ts'))
  for (const lib of [['es2023'], ['es2023', 'dom', 'dom.iterable']]) {
    const compilerOptions = {
      target: 'es2023',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      lib,
      types: ['node'],
      exactOptionalPropertyTypes: true,
      skipLibCheck: lib.length > 1,
    }
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['public-types.ts'] }))
    const tsc = join(root, 'node_modules/.bin/tsc')
    step(`@types/node ${version}, lib ${lib.join(' ')}: the types resolve`, () => run(tsc, ['-p', consumer], consumer))
  }
}

function project(name: string, packages: readonly string[]): string {
  const path = join(folder, name)
  mkdirSync(path)
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name, private: true, type: 'module', allowScripts: { node: true } }))
  run('npm', ['install', '--silent', '--no-audit', '--no-fund', ...packages], path)
  return path
}

function step(name: string, work: () => string): void {
  try {
    const lines = work().trim().split('\n')
    console.log(`ok      ${name}${/^v\d/.test(lines.at(-1) ?? '') ? ` (${lines.at(-1)})` : ''}`)
  } catch (error) {
    failed += 1
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    console.log(`failed  ${name}\n${stdout ?? ''}${stderr ?? String(error)}`)
  }
}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe' })
}

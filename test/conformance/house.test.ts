import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../src/', import.meta.url))
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const importsOf = (file: string): string[] =>
  [...read(file).matchAll(/\bfrom '(\.[^']+)'/g)].map(([, path]) => relative(root, resolve(root, file, '..', path as string)))
const withoutComments = (file: string): string => read(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')

/** The floors of the house, the lowest first; a file not listed by name is on the floor of its folder. */
const floors: readonly (readonly string[])[] = [
  [
    'errors',
    'types',
    'clock.ts',
    'cancellation.ts',
    'deadline.ts',
    'limits.ts',
    'line.ts',
    'listener.ts',
    'timed.ts',
    'waiting-room.ts',
    'exchange.ts',
    'events.ts',
    'branch.ts',
    'flight.ts',
    'observation.ts',
    'leg.ts',
  ],
  ['status', 'http'],
  ['policy', 'cache'],
  ['layers', 'transport'],
  ['options'],
  [
    'create-fetch.ts',
    'compose.ts',
    'conclude.ts',
    'validated.ts',
    'init.ts',
    'normalise.ts',
    'integrity.ts',
    'http-errors.ts',
    'traces.ts',
    'standard.ts',
    'upgrade.ts',
    'explain.ts',
    'har',
  ],
  ['index.ts'],
  ['cli', 'otel'],
]
const floorOf = (file: string): number =>
  floors.findIndex((names) => names.includes(file) || names.includes(file.split('/')[0] as string))

test('every file stands on a floor', () => {
  expect(files.filter((file) => floorOf(file) === -1)).toEqual([])
})

test('no import runs upward, types included', () => {
  const upward = files.flatMap((file) =>
    importsOf(file)
      .filter((path) => floorOf(path) > floorOf(file))
      .map((path) => `${file} -> ${path}`),
  )
  expect(upward).toEqual([])
})

test('layers never import one another, and know nothing of the transport', () => {
  const layers = files.filter((file) => file.startsWith('layers/'))
  expect(layers.flatMap((file) => importsOf(file).filter((path) => /^(?:layers|transport)\//.test(path)))).toEqual([])
})

test('imports go round in no circle', () => {
  const circles: string[] = []
  const seen = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
    else if (!seen.has(file)) {
      seen.add(file)
      for (const next of runtimeImportsOf(file)) visit(next, [...path, file])
    }
  }
  for (const file of files) visit(file, [])
  expect(circles).toEqual([])
})

test('no file is longer than 200 lines', () => {
  expect(files.filter((file) => read(file).trimEnd().split('\n').length > 200)).toEqual([])
})

/** Numbers of three digits that are no statuses: years, milliseconds and ratios. */
const otherNumbers: Readonly<Record<string, RegExp>> = {
  'http/http-date.ts': /[yY]ear (?:<|%|-) [14]00|% 100/g,
  'options/protection.ts': /capacity: 100/g,
  'options/resume.ts': /maxResumptions: 100/g,
  'otel/attributes.ts': /443 : 80/g,
  'policy/adaptive-limit.ts': /minWindowMs = 100/g,
  'policy/backoff.ts': /baseMs: 100/g,
  'transport/decode.ts': /maxGrowthRatio = 250/g,
}

test('no status number appears outside the status table', () => {
  const code = (file: string): string =>
    withoutComments(file)
      .replaceAll(/'[^'\n]*'|"[^"\n]*"|`[^`]*`|\/(?:[^/\n\\]|\\.)+\/[a-z]*/g, '')
      .replaceAll(otherNumbers[file] ?? /$^/g, '')
  const withNumbers = files.filter((file) => file !== 'status/table.ts' && /(?<![\w.])[1-5]\d\d(?![\w.])/.test(code(file)))
  expect(withNumbers).toEqual([])
})

test('time and chance come from clock.ts alone', () => {
  const direct =
    /\b(?:Date\.now|performance\.now|setTimeout|setInterval|setImmediate|Math\.random|new Date\(\)|AbortSignal\.timeout)\b/
  expect(files.filter((file) => file !== 'clock.ts' && direct.test(withoutComments(file)))).toEqual([])
})

test('nothing is exported by star, and nothing is any', () => {
  expect(files.filter((file) => /export \*|: any\b|as any\b|<any>/.test(withoutComments(file)))).toEqual([])
})

test('every export has a doc comment', () => {
  const bare = files.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index, lines) =>
        /^export (?:async )?(?:abstract )?(?:class|function|const|interface|type) [^{]/.test(line) && !isDocumented(lines, index)
          ? [`${file}:${index + 1}`]
          : [],
      ),
  )
  expect(bare).toEqual([])
})

/** Overloads share the comment of the first. */
function isDocumented(lines: readonly string[], index: number): boolean {
  const before = lines[index - 1]?.trim() ?? ''
  const name = /function (\w+)/.exec(lines[index] ?? '')?.[1]
  return (
    before.endsWith('*/') ||
    (name !== undefined && lines.slice(0, index).some((line) => line.startsWith(`export function ${name}`)))
  )
}

function runtimeImportsOf(file: string): string[] {
  return [...read(file).matchAll(/^(?:import|export) (?!type )[^']*from '(\.[^']+)'/gm)].map(([, path]) =>
    relative(root, resolve(root, file, '..', path as string)),
  )
}

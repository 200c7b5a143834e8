import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'

/** The self time of one function, in microseconds. */
export interface ProfileRow {
  readonly name: string
  readonly group: string
  readonly micros: number
}

/** What a function belongs to, by its script; the first that fits. */
const groups: readonly (readonly [RegExp, string])[] = [
  [/\/test\/bench\/(?!node_modules)/, 'the bench'],
  [/^wasm:/, 'undici: llhttp'],
  [/\/node_modules\/(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//, '$1'],
  [/\/node_modules\/((?:@[^/]+\/)?[^/]+)\//, '$1'],
  [/\/dist\/(.+)$/, 'steadfetch: $1'],
  [/^node:internal\/deps\/undici/, 'undici within Node.js'],
  [/^node:/, 'Node.js'],
]
const samplingMicros = 100

/** Does the work under the profiler and adds the self time of every function to `rows`. */
export async function profiled<Value>(work: () => Promise<Value>, rows: ProfileRow[]): Promise<Value> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: samplingMicros })
  await session.post('Profiler.start')
  const value = await work()
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  rows.push(...selfTimes(profile))
  return value
}

/** Time per function; idle time is none. */
function selfTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): ProfileRow[] {
  const micros = new Map<number, number>()
  for (const [index, id] of samples.entries()) micros.set(id, (micros.get(id) ?? 0) + (timeDeltas[index] ?? 0))
  const rows = new Map<string, ProfileRow>()
  for (const { id, callFrame } of nodes) {
    const row = describe(callFrame)
    if (row.name === '(idle)' || row.name === '(root)') continue
    const key = `${row.group} ${row.name}`
    rows.set(key, { ...row, micros: (rows.get(key)?.micros ?? 0) + (micros.get(id) ?? 0) })
  }
  return [...rows.values()].filter((row) => row.micros > 0)
}

function describe({ functionName, url, lineNumber }: Profiler.Profile['nodes'][number]['callFrame']): ProfileRow {
  const name = functionName === '' ? `anonymous, line ${lineNumber + 1}` : functionName
  return { name, group: groupOf(functionName, url), micros: 0 }
}

function groupOf(name: string, url: string): string {
  if (name === '(garbage collector)') return 'garbage collection'
  if (url === '') return 'V8 and system calls'
  for (const [pattern, group] of groups) {
    const match = pattern.exec(url)
    if (match !== null) return group.replace('$1', match[1] ?? '')
  }
  return 'other'
}

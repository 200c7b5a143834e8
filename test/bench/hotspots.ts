import type { ProfileRow } from './profile.ts'

const shownFunctions = 40

/** Where the time of a profile went: by package, by file of steadfetch, and the functions with the most time of their own. */
export function hotspots(rows: readonly ProfileRow[]): string {
  const packages = shares(rows, ({ group }) => group.split(': ')[0] ?? group)
  const files = shares(rows, ({ group }) => group).filter((line) => line.includes('steadfetch: '))
  const functions = shares(rows, ({ name, group }) => `${name}  (${group})`)
  return [
    'by package',
    ...packages,
    ...(files.length === 0 ? [] : ['', 'by file of steadfetch', ...files]),
    '',
    'by function',
    ...functions.slice(0, shownFunctions),
  ].join('\n')
}

function shares(rows: readonly ProfileRow[], nameOf: (row: ProfileRow) => string): string[] {
  const micros = new Map<string, number>()
  let total = 0
  for (const row of rows) {
    micros.set(nameOf(row), (micros.get(nameOf(row)) ?? 0) + row.micros)
    total += row.micros
  }
  const sorted = [...micros].toSorted(([, a], [, b]) => b - a)
  return sorted.map(([name, time]) => `${((100 * time) / total).toFixed(1).padStart(5)} %  ${name}`)
}

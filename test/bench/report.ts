import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ClientName, clients } from './clients.ts'
import { type Results, roundsOf, summaryOf } from './results.ts'
import { type Column, type WorkloadName, workloads } from './workloads.ts'

/** Rows of cells, the first row the titles. */
type Table = readonly (readonly string[])[]

const readme = join(import.meta.dirname, 'README.md')
const begin = '<!-- results -->\n'
const end = '<!-- end of results -->'

/** What a terminal shows. */
export function plainReport(results: Results): string {
  const plain = (table: Table): string =>
    aligned(
      table.map((row) => row.map((cell) => cell.replaceAll(/[`*]/g, ''))),
      '  ',
    ).join('\n')
  return report(results, plain)
}

/** What stands in the README. */
export function markdownReport(results: Results): string {
  return report(results, (table) => {
    const [titles, ...rows] = aligned(table, ' | ').map((line) => `| ${line} |`)
    const rules = (table[0] ?? []).map((_, column) => (column === 0 ? '---' : '--:')).join(' | ')
    return [titles, `| ${rules} |`, ...rows].join('\n')
  })
}

/** Puts the results between the marks of the README, and touches nothing else. */
export function writeReadme(results: Results): void {
  const text = readFileSync(readme, 'utf8')
  const [before, after] = [text.indexOf(begin), text.indexOf(end)]
  if (before === -1 || after < before) throw new Error('test/bench/README.md has lost its marks')
  writeFileSync(readme, `${text.slice(0, before + begin.length)}\n${markdownReport(results)}\n\n${text.slice(after)}`)
}

function report(results: Results, print: (table: Table) => string): string {
  const { environment, plan } = results
  const { machine, system, ...versions } = environment
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const load = `${plan.requests} requests after ${plan.warmup} to warm up, ${plan.concurrency} at a time`
  const measured = Object.keys(workloads) as WorkloadName[]
  const sections = measured
    .filter((name) => results.samples.some((sample) => sample.workload === name))
    .map((name) => `### ${headingOf(results, name)}\n\n${print(tableOf(results, name))}`)
  return [`${machine}, ${system}.\n${packages.join(', ')}.\n${load}.`, ...sections].join('\n\n')
}

function headingOf({ samples }: Results, workload: WorkloadName): string {
  const rounds = roundsOf(samples, workload)
  return `${workloads[workload].title} (${rounds} ${rounds === 1 ? 'round' : 'rounds'})`
}

function tableOf({ samples }: Results, workload: WorkloadName): Table {
  const columns: readonly Column[] = workloads[workload].columns
  const names = (Object.keys(clients) as ClientName[]).filter((client) =>
    samples.some((sample) => sample.workload === workload && sample.client === client),
  )
  const titles = columns.flatMap(({ title, ratio }) => (ratio === 'spread' ? [title, 'ratio', 'least-most'] : [title]))
  const rows = names.map((client) => [
    clients[client].title,
    ...columns.flatMap((column) =>
      cellsOf(column, summaryOf(samples, { workload, client, figure: column.figure }, column.above)),
    ),
  ])
  return [['', ...titles], ...rows]
}

function cellsOf({ digits, ratio, above }: Column, summary: ReturnType<typeof summaryOf>): string[] {
  const value = above === undefined ? summary?.median : summary?.above
  if (summary === undefined || value === undefined || Number.isNaN(value)) return ratio === 'spread' ? ['', '', ''] : ['']
  const shown = value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  if (ratio === 'none') return [shown]
  const times = summary.ratio.toFixed(2)
  if (ratio === 'beside') return [`${shown} (${times})`]
  return [shown, times, `${summary.least.toFixed(2)}-${summary.most.toFixed(2)}`]
}

/** Lines with every column as wide as its widest cell; the first to the left, numbers to the right. */
function aligned(table: Table, between: string): string[] {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const pad = (cell: string, column: number): string => {
    const width = widths[column] ?? 0
    return column === 0 ? cell.padEnd(width) : cell.padStart(width)
  }
  return table.map((row) => row.map(pad).join(between))
}

import { boundClient, bounds, broken } from './bounds.ts'
import type { Figures } from './figures.ts'
import type { Job, Result } from './job.ts'
import { carries, type ScenarioName, scenarios } from './scenarios.ts'

interface Column {
  readonly title: string
  /** Its text for the figures of all seeds. */
  readonly cell: (figures: readonly Figures[]) => string
}

const columns: readonly Column[] = [
  { title: 'amplification', cell: (all) => withWorst(valuesOf(all, 'amplification'), Math.max, (value) => value.toFixed(2)) },
  { title: 'goodput', cell: (all) => withWorst(valuesOf(all, 'goodput'), Math.min, (value) => value.toFixed(3)) },
  { title: 'recovery', cell: (all) => withWorst(valuesOf(all, 'recoveryMs'), Math.max, seconds) },
  { title: 'p99', cell: (all) => mean(valuesOf(all, 'p99Ms').filter(Number.isFinite), (value) => `${value.toFixed(0)} ms`, '-') },
  { title: 'peak', cell: (all) => mean(valuesOf(all, 'peak'), (value) => `${value.toFixed(0)}/s`, '-') },
]

/** The results of a scenario as text: means over the seeds, the worst seed in brackets. */
export function tableOf(scenario: ScenarioName, results: readonly Result[]): string {
  const runs = results.filter(({ job }) => job.scenario === scenario)
  const keyOf = ({ job }: Result): string => `${job.client} ${job.load}`
  const groups = [...new Set(runs.map(keyOf))].map((key) => runs.filter((run) => keyOf(run) === key))
  const rows = [['client', 'load', ...columns.map(({ title }) => title), 'bounds'], ...groups.map((group) => rowOf(group, runs))]
  return [...headOf(scenario), '', ...aligned(rows)].join('\n')
}

function headOf(scenario: ScenarioName): string[] {
  const { title } = scenarios[scenario]
  const head = [`${scenario}: ${title}`]
  if (bounds[scenario].length > 0)
    head.push(`bounds of ${boundClient}: ${bounds[scenario].map((bound) => bound.title).join(', ')}`)
  return head
}

function rowOf(group: readonly Result[], runs: readonly Result[]): string[] {
  const { job } = group[0] as Result
  const cells = columns.map(({ cell }) => cell(group.map(({ figures }) => figures)))
  return [job.client, String(job.load), ...cells, verdictOf(job, runs)]
}

function verdictOf({ client, load, scenario, capacity }: Job, runs: readonly Result[]): string {
  if (client !== boundClient || bounds[scenario].length === 0) return ''
  const failed = broken(scenario, load, runs)
  if (failed.length > 0) return `BROKEN: ${failed.join(', ')}`
  return carries(scenario, load, capacity) ? 'hold' : 'hold, but the healthy server is too small'
}

/** Names and verdicts to the left, numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const width = (index: number): number => Math.max(...rows.map((row) => (row[index] as string).length))
  const cell = (text: string, index: number, row: readonly string[]): string =>
    index === 0 || index === row.length - 1 ? text.padEnd(width(index)) : text.padStart(width(index))
  return rows.map((row) =>
    row
      .map((text, index) => cell(text, index, row))
      .join('  ')
      .trimEnd(),
  )
}

/** What never happened, or for no call, is infinite. */
function valuesOf(all: readonly Figures[], name: Exclude<keyof Figures, 'series'>): number[] {
  return all.map((figures) => figures[name] ?? Infinity)
}

function withWorst(values: readonly number[], worst: (...values: number[]) => number, text: (value: number) => string): string {
  return `${mean(values.filter(Number.isFinite), text, 'never')} (${text(worst(...values))})`
}

function mean(values: readonly number[], text: (value: number) => string, without: string): string {
  return values.length === 0 ? without : text(values.reduce((sum, value) => sum + value, 0) / values.length)
}

function seconds(ms: number): string {
  return ms === Infinity ? 'never' : `${(ms / 1_000).toFixed(1)} s`
}

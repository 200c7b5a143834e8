// The table of faults: which client does what is right.
//   node test/wire/faults/run.ts [--clients steadfetch,ky,…] [--limit 1000|default] [--group name]
import { parseArgs } from 'node:util'
import { installPeers } from '../../bench/peers.ts'
import { judged, type Verdict } from './bench.ts'
import { peers } from './clients/peers.ts'
import { open as steadfetch } from './clients/steadfetch.ts'
import type { Fault, OpenClient } from './fault.ts'
import { faults } from './faults.ts'

const { values } = parseArgs({
  options: { clients: { type: 'string' }, limit: { type: 'string', default: '1000' }, group: { type: 'string' } },
})
const names = values.clients?.split(',') ?? ['steadfetch', ...Object.keys(peers)]
const limitMs = values.limit === 'default' ? undefined : Number(values.limit)
const hangMs = limitMs === undefined ? 40_000 : limitMs + 4_000
const atOnce = 8

let rejections = 0
process.on('unhandledRejection', () => {
  rejections += 1
})
// A client that throws outside of its calls is to end its case, not the table.
process.on('uncaughtException', () => {
  rejections += 1
})

installPeers()
const chosen = faults.filter(({ group }) => values.group === undefined || group === values.group)
const columns: { name: string; verdicts: (Verdict | undefined)[]; rejections: number }[] = []
for (const name of names) {
  const open = name === 'steadfetch' ? steadfetch : await peers[name]?.()
  if (open === undefined) throw new Error(`${name} is no client; known are steadfetch, ${Object.keys(peers).join(', ')}`)
  rejections = 0
  const verdicts = await column(open, name === 'steadfetch')
  columns.push({ name, verdicts, rejections })
  const judgements = verdicts.filter((verdict) => verdict !== undefined)
  console.error(`${name}: ${judgements.filter(({ wrong }) => wrong === undefined).length} of ${judgements.length}`)
}
print()
// Whatever a peer has left open is not to hold the table.
const isWrong = (verdict: Verdict | undefined): boolean =>
  verdict !== undefined && (verdict.wrong !== undefined || verdict.leaked > 0)
process.exit(columns.some(({ name, verdicts }) => name === 'steadfetch' && verdicts.some(isWrong)) ? 1 : 0)

async function column(open: OpenClient, ours: boolean): Promise<(Verdict | undefined)[]> {
  const verdicts: (Verdict | undefined)[] = []
  const judge = async (fault: Fault): Promise<void> => {
    if (fault.oursAlone === true && !ours) return
    verdicts[chosen.indexOf(fault)] = await judged(fault, open, { ours, limitMs, hangMs: fault.alone === true ? 60_000 : hangMs })
  }
  const waiting = chosen.filter(({ alone }) => alone !== true)
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await judge(next)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  for (const fault of chosen.filter(({ alone }) => alone === true)) await judge(fault)
  return chosen.map((_fault, index) => verdicts[index])
}

function print(): void {
  const width = Math.max(...chosen.map(({ name }) => name.length))
  let group = ''
  for (const [index, fault] of chosen.entries()) {
    if (fault.group !== group) {
      group = fault.group
      console.log(`\n${group.padEnd(width + 2)}${columns.map(({ name }) => name.padStart(14)).join('')}`)
    }
    console.log(`  ${fault.name.padEnd(width)}${columns.map(({ verdicts }) => cell(verdicts[index]).padStart(14)).join('')}`)
  }
  const total = (count: (verdict: Verdict) => boolean | number): string =>
    columns
      .map(({ verdicts }) =>
        String(verdicts.reduce((sum, verdict) => sum + Number(verdict === undefined ? 0 : count(verdict)), 0)).padStart(14),
      )
      .join('')
  const row = (name: string, cells: string): void => console.log(name.padEnd(width + 2) + cells)
  console.log('')
  row(
    'right',
    total(({ wrong }) => wrong === undefined),
  )
  row(
    'wrong',
    total(({ wrong, hung }) => wrong !== undefined && !hung),
  )
  row(
    'hangs',
    total(({ hung }) => hung),
  )
  row(
    'sockets left',
    total(({ leaked }) => leaked),
  )
  row('unhandled rejections', columns.map((one) => String(one.rejections).padStart(14)).join(''))
  const common = chosen.map((fault, index) => [fault, index] as const).filter(([fault]) => fault.oursAlone !== true)
  row(
    `right of the ${common.length} that all have`,
    columns
      .map(({ verdicts }) => String(common.filter(([, index]) => verdicts[index]?.wrong === undefined).length).padStart(14))
      .join(''),
  )
  for (const { name, verdicts } of columns.filter(({ name }) => name === 'steadfetch')) {
    for (const [index, verdict] of verdicts.entries())
      if (verdict?.wrong !== undefined || verdict?.leaked)
        console.log(`${name}: ${chosen[index]?.name}: ${verdict.wrong} (${verdict.leaked} left)`)
  }
}

function cell(verdict: Verdict | undefined): string {
  if (verdict === undefined) return '-'
  if (verdict.hung) return 'hangs'
  if (verdict.wrong !== undefined) return 'WRONG'
  return verdict.leaked > 0 ? `${verdict.leaked} left` : 'right'
}

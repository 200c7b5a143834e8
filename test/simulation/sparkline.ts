import type { Course } from './course.ts'

const marks = '▁▂▃▄▅▆▇█'
/** Characters of one line; a run is cut into as many parts. */
const width = 46

/** Requests per second and goodput of every client over time, as text; all have the scale of the largest peak. */
export function sparklinesOf(courses: readonly Course[]): string {
  const [first] = courses
  if (first === undefined) return ''
  const peak = Math.max(...courses.flatMap(({ requests }) => compressed(requests)))
  const rows = courses.map(
    ({ client, requests, goodput }) => `${client.padEnd(20)}  ${lineOf(requests, peak)}  ${lineOf(goodput, 1)}`,
  )
  const title = `load ${first.load}, seed ${first.seed}`.padEnd(20)
  return [`${title}  ${`requests/s, up to ${peak.toFixed(0)}`.padEnd(width)}  goodput, up to 1`, ...rows].join('\n')
}

function lineOf(values: readonly number[], top: number): string {
  const mark = (value: number): string => marks[Math.min(marks.length - 1, Math.floor((value / top) * marks.length))] as string
  return compressed(values).map(mark).join('').padEnd(width)
}

/** Means of equal parts. */
function compressed(values: readonly number[]): number[] {
  const parts = Math.min(width, values.length)
  return Array.from({ length: parts }, (_, part) => {
    const slice = values.slice(Math.floor((part * values.length) / parts), Math.floor(((part + 1) * values.length) / parts))
    return slice.reduce((sum, value) => sum + value, 0) / slice.length
  })
}

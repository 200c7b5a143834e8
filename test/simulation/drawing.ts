import { boundClient } from './bounds.ts'
import type { Course } from './course.ts'

/** The courses of a scenario, with its title. */
export interface Sheet {
  readonly title: string
  readonly courses: readonly Course[]
}

const colours = ['#c1121f', '#8d99ae', '#1d7874', '#7b2cbf', '#e07a00', '#3a6ea5', '#6a994e', '#b5838d', '#5e503f', '#2b2d42']
const page = { width: 1_180, sheetHeight: 290, legendHeight: 64 }
const panel = { width: 480, height: 200, top: 46, lefts: [70, 650] }

/** An SVG document: requests per second and goodput over time, one row for each scenario. */
export function drawingOf(sheets: readonly Sheet[]): string {
  const height = page.legendHeight + sheets.length * page.sheetHeight
  const names = [...new Set(sheets.flatMap(({ courses }) => courses.map(({ client }) => client)))]
  const colourOf = (client: string): string => colours[names.indexOf(client) % colours.length] as string
  const rows = sheets.map((sheet, index) => {
    const shift = page.legendHeight + index * page.sheetHeight
    return `<g transform="translate(0 ${shift})">\n${sheetOf(sheet, colourOf)}\n</g>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${page.width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${page.width}" height="${height}" fill="#fff"/>`,
    text(
      panel.lefts[0] as number,
      24,
      'Clients in trouble: load and goodput over time; the fault is shaded',
      'font-size="17" font-weight="bold"',
    ),
    ...names.map((name, index) => legendOf(name, colourOf(name), (panel.lefts[0] as number) + index * 112)),
    ...rows,
    '</svg>\n',
  ].join('\n')
}

function legendOf(name: string, colour: string, x: number): string {
  return `<rect x="${x}" y="40" width="16" height="4" fill="${colour}"/>\n${text(x + 22, 46, name)}`
}

function sheetOf({ title, courses }: Sheet, colourOf: (client: string) => string): string {
  const [first] = courses
  if (first === undefined) return ''
  const top = roundUp(Math.max(...courses.flatMap(({ requests }) => requests)))
  const [left, right] = panel.lefts as [number, number]
  return [
    text(left, 22, `${title} (load ${first.load}, seed ${first.seed})`, 'font-size="14" font-weight="bold"'),
    axesOf(left, top, 'requests/s', first),
    axesOf(right, 1, 'goodput', first),
    // Steadfetch comes first in the list, and is drawn last, over the others.
    ...courses
      .toReversed()
      .flatMap(({ client, requests, goodput }) => [
        lineOf(requests, left, top, colourOf(client), client === boundClient),
        lineOf(goodput, right, 1, colourOf(client), client === boundClient),
      ]),
  ].join('\n')
}

function axesOf(left: number, top: number, title: string, { requests, faultFromS, faultS }: Course): string {
  const seconds = requests.length
  const bottom = panel.top + panel.height
  const levels = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = bottom - share * panel.height
    const line = `<path d="M${left} ${y}h${panel.width}" stroke="#ddd"/>`
    return `${line}\n${text(left - 6, y + 4, String(top * share), 'text-anchor="end"')}`
  })
  const moments = Array.from({ length: Math.floor(seconds / 20) + 1 }, (_, index) => {
    const x = left + (index * 20 * panel.width) / seconds
    return text(x, bottom + 16, `${index * 20 - faultFromS} s`, 'text-anchor="middle"')
  })
  const faultX = left + (faultFromS * panel.width) / seconds
  return [
    `<rect x="${faultX}" y="${panel.top}" width="${(faultS * panel.width) / seconds}" height="${panel.height}" fill="#f6efe2"/>`,
    ...levels,
    ...moments,
    text(left, panel.top - 4, title, 'fill="#666"'),
  ].join('\n')
}

function lineOf(values: readonly number[], left: number, top: number, colour: string, isThick: boolean): string {
  const points = values.map((value, second) => {
    const x = left + ((second + 0.5) * panel.width) / values.length
    return `${x.toFixed(1)},${(panel.top + panel.height * (1 - value / top)).toFixed(1)}`
  })
  return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="${isThick ? 2.5 : 1.2}"/>`
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" ${attributes}>${content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`
}

/** To two digits. */
function roundUp(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1)
  return Math.ceil(value / unit) * unit
}

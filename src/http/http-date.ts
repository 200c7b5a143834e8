const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const month = `(?<month>${months.join('|')})`
const time = '(?<hour>\\d{2}):(?<minute>\\d{2}):(?<second>\\d{2})'

/** The three forms of RFC 9110 §5.6.7: IMF-fixdate, the obsolete RFC 850 form, and that of asctime. */
const forms = [
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\\d{2}) ${month} (?<year>\\d{4}) ${time} GMT$`),
  new RegExp(`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d{2})-${month}-(?<year>\\d{2}) ${time} GMT$`),
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${month} (?<day>[ \\d]\\d) ${time} (?<year>\\d{4})$`),
]

/** Epoch milliseconds of an HTTP-date; null when it is none. `nowMs` settles the century of two-digit years. */
export function parseHttpDate(text: string, nowMs: number): number | null {
  for (const form of forms) {
    const parts = form.exec(text)?.groups
    if (parts !== undefined) return fromParts(parts, nowMs)
  }
  return null
}

function fromParts(parts: Record<string, string | undefined>, nowMs: number): number | null {
  const [day, hour, minute, second] = [Number(parts.day), Number(parts.hour), Number(parts.minute), Number(parts.second)]
  const monthIndex = months.indexOf(parts.month ?? '')
  const year = parts.year?.length === 2 ? fullYear(Number(parts.year), nowMs) : Number(parts.year)
  if (hour > 23 || minute > 59 || second > 60) return null
  const date = new Date(Date.UTC(year, monthIndex, day, hour, minute, second))
  if (year < 100) date.setUTCFullYear(year)
  const dayExists = new Date(Date.UTC(2000 + (year % 400), monthIndex, day)).getUTCDate() === day
  return dayExists ? date.getTime() : null
}

/** A two-digit year more than 50 years ahead is one of the past, RFC 9110 §5.6.7. */
function fullYear(twoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + twoDigits
  return year > thisYear + 50 ? year - 100 : year
}

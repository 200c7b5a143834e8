/**
 * HAR 1.2 as its specification has it, member by member: what is required, what each is, and what they have to do with one
 * another. Stricter than the JSON schema of it: an unknown member is a problem unless its name begins with `_`.
 */
type Check = (value: unknown, path: string) => string[]

interface Member {
  readonly check: Check
  readonly isOptional: boolean
}

const must = (fits: (value: unknown) => boolean, what: string): Check => {
  return (value, path) => (fits(value) ? [] : [`${path} must be ${what}, is ${JSON.stringify(value)}`])
}
const text = must((value) => typeof value === 'string', 'a string')
const flag = must((value) => typeof value === 'boolean', 'a boolean')
const whole = must((value) => Number.isInteger(value), 'a whole number')
const size = must((value) => Number.isInteger(value) && (value as number) >= -1, 'a size or -1')
const duration = must((value) => Number.isFinite(value) && (value as number) >= 0, 'milliseconds')
const durationOrNone = must((value) => value === -1 || (Number.isFinite(value) && (value as number) >= 0), 'milliseconds or -1')
const date = must(
  (value) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) && !Number.isNaN(Date.parse(value)),
  'a date of ISO 8601',
)
const url = must((value) => typeof value === 'string' && /^https?:/.test(value) && URL.canParse(value), 'an absolute URL')
const referenceOrNone = must((value) => value === '' || URL.canParse(String(value)), 'an absolute URL or empty')
const only = (expected: unknown): Check => must((value) => value === expected, JSON.stringify(expected))

const optional = (check: Check): Member => ({ check, isOptional: true })

function object(members: Readonly<Record<string, Check | Member>>, together: Check = () => []): Check {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path} must be an object`]
    const unknown = Object.keys(value).filter((name) => !name.startsWith('_') && !Object.hasOwn(members, name))
    const problems = unknown.map((name) => `${path}.${name} is not in HAR 1.2`)
    for (const [name, rule] of Object.entries(members)) {
      const { check, isOptional } = typeof rule === 'function' ? { check: rule, isOptional: false } : rule
      if (Object.hasOwn(value, name)) problems.push(...check((value as Record<string, unknown>)[name], `${path}.${name}`))
      else if (!isOptional) problems.push(`${path}.${name} is missing`)
    }
    return problems.length > 0 ? problems : together(value, path)
  }
}

function list(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return [`${path} must be an array`]
    return value.flatMap((item, index) => check(item, `${path}[${index}]`))
  }
}

const comment = optional(text)
const pair = object({ name: text, value: text, comment })
const cookie = object({
  ...{ name: text, value: text, path: optional(text), domain: optional(text), expires: optional(date) },
  ...{ httpOnly: optional(flag), secure: optional(flag), sameSite: optional(text), comment },
})
const postData = object({ mimeType: text, params: optional(list(pair)), text: optional(text), comment })
const content = object({
  size: whole,
  compression: optional(whole),
  mimeType: text,
  text: optional(text),
  encoding: optional(text),
  comment,
})

const request = object(
  {
    ...{ method: text, url, httpVersion: text, cookies: list(cookie), headers: list(pair), queryString: list(pair) },
    ...{ postData: optional(postData), headersSize: size, bodySize: size, comment },
  },
  (value, path) => {
    const { url: target, queryString } = value as { url: string; queryString: { name: string; value: string }[] }
    const query = [...new URL(target).searchParams].map(([name, own]) => ({ name, value: own }))
    return JSON.stringify(query) === JSON.stringify(queryString) ? [] : [`${path}.queryString is not the query of the URL`]
  },
)

const response = object({
  ...{ status: whole, statusText: text, httpVersion: text, cookies: list(cookie), headers: list(pair), content },
  ...{ redirectURL: referenceOrNone, headersSize: size, bodySize: size, comment },
})

interface Timings {
  readonly [name: string]: number
}

const timings = object(
  {
    ...{ blocked: durationOrNone, dns: durationOrNone, connect: durationOrNone, ssl: durationOrNone },
    ...{ send: duration, wait: duration, receive: duration, comment },
  },
  (value, path) => {
    const { ssl = -1, connect = -1 } = value as Timings
    return ssl > connect ? [`${path}.ssl is a part of connect, and cannot be longer`] : []
  },
)

const entry = object(
  {
    ...{ pageref: optional(text), startedDateTime: date, time: duration, request, response, cache: object({}), timings },
    ...{ serverIPAddress: optional(text), connection: optional(text), comment },
  },
  (value, path) => {
    const { time, timings: parts } = value as { time: number; timings: Timings }
    const applying = Object.entries(parts).filter(([name, ms]) => name !== 'ssl' && ms >= 0)
    const sum = applying.reduce((total, [, ms]) => total + ms, 0)
    return Math.abs(sum - time) < 0.0005 ? [] : [`${path}.time is ${time}, its timings come to ${sum}`]
  },
)

const application = object({ name: text, version: text, comment })
const log = object(
  { version: only('1.2'), creator: application, browser: optional(application), entries: list(entry), comment },
  (value, path) => {
    const starts = (value as { entries: { startedDateTime: string }[] }).entries.map(({ startedDateTime }) => startedDateTime)
    return [...starts].sort().join() === starts.join() ? [] : [`${path}.entries are not in the order of their start`]
  },
)

/** What is wrong with an archive of HAR 1.2, as it is after a way through JSON. */
export function harProblems(archive: unknown): string[] {
  return object({ log })(JSON.parse(JSON.stringify(archive)), 'har')
}

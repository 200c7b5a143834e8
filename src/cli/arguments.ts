import { parseArgs } from 'node:util'
import { shownValue } from '../errors/redact-text.ts'
import { explain } from '../explain.ts'
import type { FailureKey, PolicyTable } from '../types/policy.ts'

/** What `--help` prints. */
export const usage = `Usage: steadfetch <url> [options]
       steadfetch --explain <status> [--on <status>=<policy>]

  -X <method>            request method; default GET, or POST with content
  -H <'name: value'>     request field, may be repeated
  -d <content>           request content; @file reads a file, @- standard input
  --json <content>       JSON content with its Content-Type and Accept
  --on <status>=<policy> policy for a code, a class such as 5xx, network or timeout: accept, fail, retry, pause, follow, poll
  -i                     print the status line and the fields of the response too
  --trace                print a timeline of attempts, waits and redirects on standard error
  --har <file>           write every attempt to an HTTP archive (HAR 1.2), secrets masked, contents left out
  --explain <status>     print the policy that applies to a status and stop
  -h, --help             print this text

Exit code: 0 for 2xx, 1 for 1xx, 3, 4 or 5 for the class of another status, 6 when the network failed or the
request was refused, 7 when a time limit passed, 2 for wrong arguments.
`

/** A problem with the command line, to be shown without a stack. */
export class UsageError extends Error {}

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'explain'; readonly status: number | FailureKey; readonly on: PolicyTable }
  | {
      readonly kind: 'fetch'
      readonly url: string
      readonly method: string
      readonly headers: readonly [string, string][]
      /** Content as given; `@…` is still to be read. */
      readonly content: string | undefined
      readonly on: PolicyTable
      readonly showHead: boolean
      readonly showTrace: boolean
      readonly harFile: string | undefined
    }

const options = {
  request: { type: 'string', short: 'X' },
  header: { type: 'string', short: 'H', multiple: true },
  data: { type: 'string', short: 'd' },
  json: { type: 'string' },
  on: { type: 'string', multiple: true },
  include: { type: 'boolean', short: 'i' },
  trace: { type: 'boolean' },
  har: { type: 'string' },
  explain: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Reads the command line. @throws UsageError that says what is wrong with it. */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parsed(args)
  if (values.help === true) return { kind: 'help' }
  const on = policies(values.on ?? [])
  if (values.explain !== undefined) return { kind: 'explain', status: statusOf(values.explain), on }
  const [url, ...more] = positionals
  if (url === undefined) throw new UsageError('a URL is missing')
  if (more.length > 0) throw new UsageError(`only one URL can be fetched, got ${positionals.length}`)
  if (values.data !== undefined && values.json !== undefined) throw new UsageError('-d and --json cannot both be given')
  const content = values.data ?? values.json
  const headers = (values.header ?? []).map(fieldOf)
  if (values.json !== undefined) headers.unshift(['content-type', 'application/json'], ['accept', 'application/json'])
  else if (content !== undefined) headers.unshift(['content-type', 'application/x-www-form-urlencoded'])
  return {
    kind: 'fetch',
    url: /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`,
    method: values.request ?? (content === undefined ? 'GET' : 'POST'),
    headers: lastWins(headers),
    content,
    on,
    showHead: values.include ?? false,
    showTrace: values.trace ?? false,
    harFile: values.har,
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0] ?? 'wrong arguments')
  }
}

function fieldOf(text: string): [string, string] {
  const colon = text.indexOf(':')
  if (colon < 1) throw new UsageError(`-H wants 'name: value', got ${shownValue(text)}`)
  return [text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim()]
}

/** A field the caller names replaces the one that comes with the content. */
function lastWins(fields: readonly [string, string][]): [string, string][] {
  return [...new Map(fields.map(([name, value]) => [name, value])).entries()]
}

function policies(pairs: readonly string[]): PolicyTable {
  const on: Record<string, unknown> = {}
  for (const pair of pairs) {
    const [key, word, rest] = pair.split('=')
    if (!key || !word || rest !== undefined) throw new UsageError(`--on wants <status>=<policy>, got ${shownValue(pair)}`)
    on[key] = word
  }
  try {
    explain('network', { on: on as PolicyTable })
  } catch (error) {
    throw new UsageError((error as Error).message.replace('explain: ', '--on: '))
  }
  return on as PolicyTable
}

function statusOf(text: string): number | FailureKey {
  if (text === 'network' || text === 'timeout') return text
  if (/^[1-9]\d\d$/.test(text)) return Number(text)
  throw new UsageError(`--explain wants a status code, network or timeout, got ${shownValue(text)}`)
}

#!/usr/bin/env node
import { readFile, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { createFetch } from '../create-fetch.ts'
import { isTimeoutError } from '../errors/failures.ts'
import { escapeControls, redactText } from '../errors/redact-text.ts'
import { explain } from '../explain.ts'
import { recordHar } from '../har/recorder.ts'
import { errorClass, statusClass } from '../status/table.ts'
import { traceOf } from '../traces.ts'
import type { SteadFetch } from '../types/options.ts'
import { type Command, parseCommand, UsageError, usage } from './arguments.ts'
import { explanationText, timeline } from './timeline.ts'

type FetchCommand = Extract<Command, { kind: 'fetch' }>

const exitCodes = { '1xx': 1, '2xx': 0, '3xx': 3, '4xx': 4, '5xx': 5 } as const
const usageExitCode = 2
const failureExitCode = 6
const timeoutExitCode = 7

async function run(args: readonly string[]): Promise<number> {
  const command = parseCommand(args)
  if (command.kind === 'help') process.stdout.write(usage)
  else if (command.kind === 'explain') process.stdout.write(explanationText(explain(command.status, { on: command.on })))
  else return fetchAndPrint(command)
  return 0
}

async function fetchAndPrint(command: FetchCommand): Promise<number> {
  const client = createFetch({ on: command.on, errors: 'return' })
  const { harFile } = command
  if (harFile === undefined) return fetchWith(client, command)
  const recorder = recordHar(client)
  const code = await fetchWith(client, command)
  try {
    await writeFile(harFile, `${JSON.stringify(recorder.archive(), null, 2)}\n`)
  } catch (error) {
    throw new UsageError(`--har: ${(error as Error).message}`)
  }
  return code
}

async function fetchWith(client: SteadFetch, command: FetchCommand): Promise<number> {
  try {
    const content = await contentOf(command.content)
    const { method, headers } = command
    const response = await client(command.url, {
      method,
      headers: [...headers],
      ...(content === undefined ? {} : { body: content }),
    })
    if (command.showTrace) printTrace(response)
    if (command.showHead) process.stdout.write(headOf(response))
    for await (const part of response.body ?? []) process.stdout.write(part)
    const { status } = response
    const code = exitCodes[statusClass(status)]
    if (code > exitCodes['3xx'])
      process.stderr.write(`steadfetch: ${status} ${redactText(response.statusText)} (${errorClass(status).name})\n`)
    return code
  } catch (error) {
    if (command.showTrace) printTrace(error)
    process.stderr.write(`steadfetch: ${redactText(error instanceof Error ? error.message : String(error))}\n`)
    if (traceOf(error) === undefined) return usageExitCode
    return isTimeoutError(error) ? timeoutExitCode : failureExitCode
  } finally {
    await client.close()
  }
}

async function contentOf(content: string | undefined): Promise<string | Uint8Array<ArrayBuffer> | undefined> {
  if (content === '@-') return text(process.stdin)
  return content?.startsWith('@') === true ? readFile(content.slice(1)) : content
}

function headOf(response: Response): string {
  // Asked for, and shown as they came, but for what would steer the terminal.
  const fields = [...response.headers].map(([name, value]) => `${name}: ${escapeControls(value)}\n`).join('')
  return `${response.status} ${escapeControls(response.statusText)}\n${fields}\n`
}

function printTrace(result: unknown): void {
  const trace = traceOf(result)
  if (trace !== undefined) process.stderr.write(timeline(trace))
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`steadfetch: ${escapeControls(error.message)}\nTry 'steadfetch --help'.\n`)
  process.exitCode = usageExitCode
}

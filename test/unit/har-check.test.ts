import { expect, test } from 'vitest'
import { recordHar } from '../../src/index.ts'
import { clientOf } from '../support/client.ts'
import { harProblems } from '../support/har-check.ts'
import { reply } from '../support/scripted-transport.ts'

type Changed = { log: { entries: Record<string, Record<string, unknown>>[] } }

const faults: readonly (readonly [string, (entry: Record<string, Record<string, unknown>>) => void, RegExp])[] = [
  ['a member is missing', (entry) => delete entry.request?.url, /request\.url is missing/],
  ['a member is unknown', (entry) => Object.assign(entry, { stray: 1 }), /stray is not in HAR 1\.2/],
  ['the time is not the sum', (entry) => Object.assign(entry, { time: 99 }), /its timings come to 0/],
  ['TLS takes longer than connecting', (entry) => Object.assign(entry.timings ?? {}, { ssl: 5 }), /ssl is a part of connect/],
  ['sending does not apply', (entry) => Object.assign(entry.timings ?? {}, { send: -1 }), /send must be milliseconds/],
  ['the date is another', (entry) => Object.assign(entry, { startedDateTime: 'today' }), /a date of ISO 8601/],
  ['a status is a string', (entry) => Object.assign(entry.response ?? {}, { status: '200' }), /a whole number/],
  ['the query is another', (entry) => Object.assign(entry.request ?? {}, { queryString: [] }), /not the query/],
]

test.each(faults)('the checker of archives sees when %s', async (_what, spoil, problem) => {
  const { fetch } = clientOf([reply(200)])
  const recorder = recordHar(fetch)
  await fetch('https://api.example.com/?a=1')
  const archive = recorder.archive()
  expect(harProblems(archive)).toEqual([])
  spoil((archive as unknown as Changed).log.entries[0] ?? {})
  expect(harProblems(archive).join()).toMatch(problem)
})

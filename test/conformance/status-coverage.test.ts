import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { registeredStatuses, statusRow } from '../../src/status/table.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')

/** A row of the table "Every status code" of the README. */
interface Row {
  readonly code: number
  readonly phrase: string
  readonly text: string
  readonly reference: string
  readonly tests: readonly string[]
}

const section = /^## Every status code\n(.*?)^## /ms.exec(read('README.md'))?.[1] ?? ''
const rows: Row[] = [...section.matchAll(/^\| (\d{3}) \| (.*) \| (.*) \| (.*) \| (.*) \|$/gm)].map(
  ([, code, phrase = '', text = '', reference = '', tests = '']) => ({
    code: Number(code),
    phrase,
    text,
    reference,
    tests: [...tests.matchAll(/\]\((test\/[^)]+\.test\.ts)\)/g)].map(([, path]) => path as string),
  }),
)

describe('the table of every status code in the README', () => {
  test('has one row for each registered code, in their order', () => {
    expect(rows.map(({ code }) => code)).toEqual(registeredStatuses())
  })

  test.each(rows)('$code is named and cited as in the status table', ({ code, phrase, text, reference }) => {
    expect([phrase, reference]).toEqual([statusRow(code).phrase, statusRow(code).reference])
    expect(text).not.toBe('')
  })

  test.each(rows)('$code is shown by tests that speak of it', ({ code, tests }) => {
    expect(tests.length).toBeGreaterThan(0)
    expect(tests.filter((path) => !existsSync(root + path))).toEqual([])
    expect(tests.filter((path) => !new RegExp(`\\b${code}\\b`).test(read(path)))).toEqual([])
  })
})

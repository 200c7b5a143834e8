import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('../soak/faults/run.ts', import.meta.url))

test('some seconds of calls by every kind of client, and any fault for any request: each ends well or typed, and nothing is left', async () => {
  const args = ['--expose-gc', program, '--minutes', '0.1', '--concurrency', '60', '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 }).catch(
    (error: unknown) => error as { stdout: string },
  )
  const { violations, calls, outcomes } = JSON.parse(stdout) as {
    violations: string[]
    calls: number
    outcomes: Record<string, number>
  }
  expect(violations).toEqual([])
  expect(calls).toBeGreaterThan(100)
  expect(outcomes['delivered 200']).toBeGreaterThan(20)
}, 60_000)

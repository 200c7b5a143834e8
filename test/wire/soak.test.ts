import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('../soak/run.ts', import.meta.url))

test('3,000 calls, most of them in some trouble, end as they must and leave nothing behind', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program, '--requests', '3000'])
  expect(JSON.parse(stdout)).toMatchObject({ requests: 3_000, violations: [] })
})

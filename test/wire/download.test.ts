import { execFile } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildConnector } from 'undici'
import { expect, test } from 'vitest'
import { httpServer } from '../support/server.ts'
import { client } from '../support/wire.ts'

const program = fileURLToPath(new URL('../soak/download.ts', import.meta.url))
const megabyte = 1_048_576

test.each([
  ['read as it comes', 1_024, 0],
  ['that nobody reads at first', 256, 300],
])('a download %s holds less than 8 MiB: %i MiB', async (_name, megabytes, pauseMs) => {
  const flags = ['--megabytes', String(megabytes), '--pause-ms', String(pauseMs)]
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program, ...flags])
  const { whole, growth } = JSON.parse(stdout) as { whole: boolean; growth: number }
  expect(whole).toBe(true)
  expect(growth).toBeLessThan(8 * megabyte)
})

test.each([
  ['a response of which nothing is read', async (_response: Response) => {}],
  ['a stream that was taken and is not read', async (response: Response) => void response.body?.getReader()],
  ['a stream of which one part was read', async (response: Response) => void (await response.body?.getReader().read())],
])('%s takes 256 KiB off the connection at the most, and the server has to wait', async (_name, take) => {
  const part = Buffer.alloc(65_536, 'x')
  let written = 0
  await using server = await httpServer((_request, response) => {
    const more = (): void => {
      written += part.length
      if (response.write(part)) more()
      else response.once('drain', more)
    }
    more()
  })
  const sockets: Socket[] = []
  const open = buildConnector({})
  const api = client({
    connect: (target, callback) =>
      open(target, (...result) => {
        if (result[1] !== null) sockets.push(result[1])
        callback(...result)
      }),
  })
  const response = await api(server.origin)
  await take(response)
  await new Promise((resolve) => setTimeout(resolve, 200))
  const [socket] = sockets
  const [taken, stalledAt] = [socket?.bytesRead ?? Infinity, written]
  expect(taken).toBeLessThanOrEqual(4 * part.length)
  expect(written).toBeGreaterThan(0)
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect([socket?.bytesRead, written]).toEqual([taken, stalledAt])
  await response.body?.cancel().catch(() => {})
  socket?.destroy()
})

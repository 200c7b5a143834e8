import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ContinueFilter } from '../../src/transport/continues.ts'
import { runCount } from '../support/run-count.ts'

const goOn = 'HTTP/1.1 100 Continue\r\nx: 1\r\n\r\n'

const interim = fc.constantFrom(
  goOn,
  goOn,
  'HTTP/1.0 100\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nlink: </100>\r\n\r\n',
  'HTTP/1.1 199 \r\n\r\n',
)
const final = fc.constantFrom(
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 101 Switching Protocols\r\n',
  'HTTP/1.0 404 \r\n',
  'HTTP/1.1 1000 x\r\n',
  'nonsense',
)
const content = fc.array(
  fc.oneof(interim, fc.string({ maxLength: 20 }), fc.constantFrom('HTTP/1.1 1', 'HTTP/1.1 100 Continue\r\n\r\n')),
  { maxLength: 5 },
)
const cuts = fc.array(fc.nat(60), { maxLength: 40 })

/** Reads as undici does: all that is there, each time there is something. */
async function read(parts: readonly Buffer[], filter: (socket: Socket) => void): Promise<string> {
  const socket = new Readable({ read() {} })
  filter(socket as unknown as Socket)
  const got: Buffer[] = []
  socket.on('readable', () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) got.push(chunk as Buffer)
  })
  const ended = once(socket, 'end')
  for (const part of parts) {
    socket.push(part)
    if (part.length % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  socket.push(null)
  await ended
  return Buffer.concat(got).toString('latin1')
}

function split(text: string, sizes: readonly number[]): Buffer[] {
  const parts: Buffer[] = []
  let at = 0
  for (const size of sizes) {
    if (size > 0 && at < text.length) parts.push(Buffer.from(text.slice(at, at + size), 'latin1'))
    at += size
  }
  if (at < text.length) parts.push(Buffer.from(text.slice(at), 'latin1'))
  return parts
}

test('however the bytes are cut, each 100 Continue before the final response is taken out, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(interim, { maxLength: 5 }), final, content, cuts, async (before, head, after, sizes) => {
      const rest = `${head}${after.join('')}`
      const told: number[] = []
      const got = await read(split(before.join('') + rest, sizes), (socket) => {
        new ContinueFilter(socket).await({ onContinue: (status) => told.push(status) })
      })
      const isContinue = (text: string): boolean => /^HTTP\/1\.[01] 100/.test(text)
      expect(got).toBe(before.filter((text) => !isContinue(text)).join('') + rest)
      expect(told).toEqual(before.filter(isContinue).map(() => 100))
    }),
    { numRuns: runCount(300) },
  )
})

test('what comes while no response is awaited is left as it is', async () => {
  await fc.assert(
    fc.asyncProperty(content, cuts, async (parts, sizes) => {
      const text = parts.join('')
      expect(await read(split(text, sizes), (socket) => void new ContinueFilter(socket))).toBe(text)
    }),
    { numRuns: runCount(50) },
  )
})

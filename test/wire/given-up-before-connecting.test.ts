import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { TimeoutError } from '../../src/index.ts'
import { listening } from '../support/server.ts'
import { trusting } from '../support/tls.ts'
import { caught, client } from '../support/wire.ts'

it('requests that are given up in the line for a mute server open no connections, and keep nobody waiting', async () => {
  // It takes connections, and never says a word of TLS.
  await using server = await listening(
    createServer((socket) => void socket.on('error', () => {}).resume()),
    [],
  )
  const api = client({ connect: trusting, connectTimeoutMs: 300, maxAttempts: 1 })
  const target = server.origin.replace('http:', 'https:')
  const calls = Array.from({ length: 20 }, () => caught(api(target, { timeoutMs: 100 })))
  for (const error of await Promise.all(calls)) {
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ kind: 'call', attempts: 1 })
  }
  const startMs = performance.now()
  await api.close()
  // One is on its way for 300 ms at the most; 20 would be 6 s.
  expect(performance.now() - startMs).toBeLessThan(3_000)
  expect(server.connections).toHaveLength(1)
})

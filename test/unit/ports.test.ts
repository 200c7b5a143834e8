import { expect, test } from 'vitest'
import { isForbiddenPort } from '../../src/http/ports.ts'

/** A dispatcher that opens no connection. */
const dispatcher = {
  dispatch(): boolean {
    throw new Error('not sent')
  },
}

/** Whether the global fetch refuses the port before it asks for a connection. */
async function platformRefuses(url: URL): Promise<boolean> {
  const { cause } = await fetch(url, { dispatcher } as RequestInit).catch((reason) => reason)
  return cause.message === 'bad port'
}

test('the ports that the global fetch refuses are forbidden, and no others', async () => {
  const differing: string[] = []
  for (let port = 1; port <= 11_000; port += 1) {
    const url = new URL(`http://127.0.0.1:${port}/`)
    if (isForbiddenPort(url) !== (await platformRefuses(url))) differing.push(url.port)
  }
  expect(differing).toEqual([])
})

test.each([
  ['http://localhost:0/', true],
  ['https://localhost:22/', true],
  ['http://localhost:00025/', true],
  ['http://localhost/', false],
  ['http://localhost:80/', false],
  ['https://localhost/', false],
  ['https://localhost:8443/', false],
  ['http://[::1]:6667/', true],
  ['ftp://localhost:22/', false],
  ['data:,x', false],
])('%s', (url, expected) => {
  expect(isForbiddenPort(new URL(url))).toBe(expected)
})

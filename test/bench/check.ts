import { deepStrictEqual } from 'node:assert/strict'
import type { Client } from './clients/client.ts'
import { flakyEvery, order, problem, text, user } from './content.ts'

/** @throws unless the client really does what is measured: one that does less would seem cheap. */
export async function check(client: Client, origin: string): Promise<void> {
  deepStrictEqual(await client.getJson(`${origin}/user`), user)
  deepStrictEqual(await client.postJson(`${origin}/orders`, order), user)
  deepStrictEqual(await client.getText(`${origin}/text`), text)
  deepStrictEqual(await client.flaky(`${origin}/flaky/check-${process.pid}/${flakyEvery}`), user)
  const { status, content } = client.seen(await errorOf(client.failing(`${origin}/missing`)))
  deepStrictEqual(status, 404)
  deepStrictEqual(typeof content === 'string' ? JSON.parse(content) : content, JSON.parse(problem))
}

/** The Error a call rejects with. */
export async function errorOf(answer: Promise<unknown>): Promise<Error> {
  try {
    await answer
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('a 404 must be an Error')
}

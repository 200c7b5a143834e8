// The ways in which the callers of the fault soak take a response, or do not.
import { equal } from 'node:assert/strict'
import { Lottery } from './chance.ts'

/** Takes a response of which the content is known, if it is. */
export type Read = (response: Response, expected: string | undefined) => Promise<void>

const whole =
  (take: (response: Response) => Promise<string>): Read =>
  async (response, expected) => {
    const text = await take(response)
    if (expected !== undefined) same(text, expected)
  }

/** The messages of assert would hold all of both. */
function same(text: string, expected: string): void {
  if (text === expected) return
  const at = [...text].findIndex((letter, index) => letter !== expected[index])
  throw new WrongContent(
    `${text.length} bytes instead of ${expected.length}, other than expected from ${at} on: ${text.slice(at, at + 60)}`,
  )
}

/** Content that is not what was sent: nothing is worse. */
export class WrongContent extends Error {}

const decode = (bytes: Uint8Array | ArrayBuffer): string => new TextDecoder().decode(bytes)

/** JSON where it is known to be that. */
const json: Read = async (response, expected) => {
  if (expected === undefined || expected === '') await whole((one) => one.text())(response, expected)
  else same(JSON.stringify(await response.json()), expected)
}

async function streamed({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of body ?? []) parts.push(part as Uint8Array)
  return decode(Buffer.concat(parts))
}

/** A consumer slower than its source. */
async function slowly({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of body ?? []) {
    parts.push(part as Uint8Array)
    if (parts.length < 5) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return decode(Buffer.concat(parts))
}

const cancelled: Read = async ({ body }) => {
  const reader = body?.getReader()
  await reader?.read()
  await reader?.cancel(new Error('seen enough'))
}

const left: Read = async ({ body }) => {
  for await (const part of body ?? []) if ((part as Uint8Array).length > 0) break
}

const bothClones: Read = async (response, expected) => {
  const copy = response.clone()
  const [first, second] = await Promise.all([response.text(), copy.text()])
  equal(first === second, true, 'two clones differ')
  if (expected !== undefined) same(first, expected)
}

const oneClone: Read = async (response, expected) => {
  const copy = response.clone()
  const text = await response.text()
  await copy.body?.cancel()
  if (expected !== undefined) same(text, expected)
}

/** Nobody reads it: its time limit lets it go. */
const dropped: Read = async () => {}
const taken: Read = async (response) => {
  response.body?.getReader()
}

/** Every way with its weight. */
export const reads: Lottery<Read> = new Lottery<Read>({
  text: [10, whole((response) => response.text())],
  json: [8, json],
  bytes: [4, whole(async (response) => decode(await response.bytes()))],
  arrayBuffer: [2, whole(async (response) => decode(await response.arrayBuffer()))],
  blob: [2, whole(async (response) => (await response.blob()).text())],
  stream: [6, whole(streamed)],
  'slow stream': [2, whole(slowly)],
  'cancelled after the first part': [3, cancelled],
  'left after the first part': [3, left],
  'two clones': [2, bothClones],
  'one clone': [1, oneClone],
  'never read': [4, dropped],
  'taken, never read': [1, taken],
})

import { afterAll, describe, expect, test } from 'vitest'
import { blobAnswer, resolveBlobUrl } from '../../src/http/blob-url.ts'

const urls: string[] = []
function urlOf(text: string, type = 'text/plain'): string {
  const url = URL.createObjectURL(new Blob([text], { type }))
  urls.push(url)
  return url
}
afterAll(() => {
  for (const url of urls) URL.revokeObjectURL(url)
})

interface Read {
  readonly status: number
  readonly statusText: string
  readonly headers: Record<string, string>
  readonly text: string
}

async function ours(url: string, method = 'GET', range: string | null = null): Promise<Read | undefined> {
  const answer = blobAnswer(new URL(url), method, range)
  if (answer === undefined) return undefined
  const { blob, ...head } = answer
  return { ...head, text: await blob.text() }
}

async function platforms(url: string, method = 'GET', range: string | null = null): Promise<Read | undefined> {
  try {
    const response = await fetch(url, { method, headers: range === null ? {} : { range } })
    const { status, statusText } = response
    return { status, statusText, headers: Object.fromEntries(response.headers), text: await response.text() }
  } catch {
    return undefined
  }
}

/** Node.js 22 leaves the last byte of a range out. */
const rangesAreWhole = (await platforms(urlOf('A'), 'GET', 'bytes=0-0'))?.text === 'A'

const greeting = 'A simple Hello, World! example'
const partial = (text: string, contentRange: string): Read => ({
  status: 206,
  statusText: 'Partial Content',
  headers: { 'content-length': String(text.length), 'content-range': `bytes ${contentRange}`, 'content-type': 'text/plain' },
  text,
})

describe('blob: URLs are answered as the global fetch answers them', () => {
  test('the whole Blob, with its type', async () => {
    const url = urlOf('content', 'Text/HTML')
    const whole = {
      status: 200,
      statusText: 'OK',
      headers: { 'content-length': '7', 'content-type': 'text/html' },
      text: 'content',
    }
    expect(await ours(url)).toEqual(whole)
    expect(await platforms(url)).toEqual(whole)
    expect(await ours(`${url}#fragment`)).toEqual(await platforms(`${url}#fragment`))
  })

  test('a Blob without content and without a type', async () => {
    const url = urlOf('', '')
    expect((await ours(url))?.headers).toEqual({ 'content-length': '0', 'content-type': '' })
    expect(await platforms(url)).toEqual(await ours(url))
  })

  test.each(['HEAD', 'POST', 'PUT', 'get'])('nothing for the method %s', async (method) => {
    expect(await ours(urlOf('content'), method)).toBeUndefined()
    if (method !== 'get') expect(await platforms(urlOf('content'), method)).toBeUndefined()
  })

  test('nothing for a URL that is unknown, was revoked or has a query', async () => {
    const revoked = URL.createObjectURL(new Blob(['gone']))
    URL.revokeObjectURL(revoked)
    for (const url of ['blob:nodedata:unknown', 'blob:x', revoked, `${urlOf('content')}?query`]) {
      expect(await ours(url)).toBeUndefined()
      expect(await platforms(url)).toBeUndefined()
      expect(resolveBlobUrl(new URL(url))).toBeUndefined()
    }
  })

  test.each<[string, Read | undefined]>([
    ['bytes=9-21', partial('Hello, World!', '9-21/30')],
    ['bytes=0-0', partial('A', '0-0/30')],
    ['bytes=0-', partial(greeting, '0-29/30')],
    ['bytes=-7', partial('example', '23-29/30')],
    ['bytes=-30', partial(greeting, '0-29/30')],
    ['bytes=22-1000000000000', partial(' example', '22-29/30')],
    ['bytes= \t9-21', partial('Hello, World!', '9-21/30')],
    ['bytes \t=\t9 - \t21', partial('Hello, World!', '9-21/30')],
    ['bytes=30-31', undefined],
    ['bytes=5-4', undefined],
    ['bytes=-', undefined],
    ['bytes=', undefined],
    ['bytes', undefined],
    ['byte=0-1', undefined],
    ['BYTES=0-1', undefined],
    ['bytes=0-1,3-4', undefined],
    ['bytes=0-1,', undefined],
    ['bytes=x-5', undefined],
    ['bytes=0-1x', undefined],
  ])('the range %j', async (range, expected) => {
    const url = urlOf(greeting)
    expect(await ours(url, 'GET', range)).toEqual(expected)
    if (rangesAreWhole || expected === undefined) expect(await platforms(url, 'GET', range)).toEqual(expected)
  })
})

// Some versions of the platform refuse these, or answer with a Content-Range that is none.
describe('ranges as RFC 9110 §14.1.2 has them', () => {
  test.each<[string, Read | undefined]>([
    ['bytes=23-', partial('example', '23-29/30')],
    ['bytes=-1000', partial(greeting, '0-29/30')],
    ['bytes=-0', undefined],
  ])('%j', async (range, expected) => {
    expect(await ours(urlOf(greeting), 'GET', range)).toEqual(expected)
  })

  test('nothing can be asked of an empty Blob', async () => {
    expect(await ours(urlOf(''), 'GET', 'bytes=0-')).toBeUndefined()
    expect(await ours(urlOf(''), 'GET', 'bytes=-5')).toBeUndefined()
  })
})

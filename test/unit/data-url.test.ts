import { describe, expect, test } from 'vitest'
import { parseDataUrl } from '../../src/http/data-url.ts'

/** The media type and the bytes, as Latin-1; undefined for a network error. */
type Read = readonly [string | null, string] | undefined

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

function ours(url: string): Read {
  const read = parseDataUrl(new URL(url))
  return read && [read.type, latin1(read.bytes)]
}

async function platforms(url: string): Promise<Read> {
  try {
    const response = await fetch(url)
    return [response.headers.get('content-type'), latin1(await response.bytes())]
  } catch {
    return undefined
  }
}

const fallback = 'text/plain;charset=US-ASCII'

describe('data: URLs are read as the global fetch reads them', () => {
  test.each<[string, Read]>([
    ['data:,', [fallback, '']],
    ['data:,Hello', [fallback, 'Hello']],
    ['data:;,Hello', ['text/plain', 'Hello']],
    ['data:text/html,<p>', ['text/html', '<p>']],
    ['data:TEXT/HTML;CHARSET=utf-8,x', ['text/html;charset=utf-8', 'x']],
    ['data:;charset=utf-8,x', ['text/plain;charset=utf-8', 'x']],
    ['data:text/plain;charset=UTF-8;charset=latin1,x', ['text/plain;charset=UTF-8', 'x']],
    ['data:text/plain;a="b;c",x', ['text/plain;a="b;c"', 'x']],
    ['data:text/plain;a=%22b%22,x', ['text/plain;a=%22b%22', 'x']],
    ['data:text/plain;a="",x', ['text/plain;a=""', 'x']],
    ['data:text/plain;a="b\\"c",x', ['text/plain;a="b\\"c"', 'x']],
    ['data:text/plain;a=b c,x', ['text/plain;a="b c"', 'x']],
    ['data:text/plain; a=b ;c,x', ['text/plain;a=b', 'x']],
    ['data:text/plain;a,x', ['text/plain', 'x']],
    ['data:text/plain;=b,x', ['text/plain', 'x']],
    ['data:text/plain;a==b,x', ['text/plain;a="=b"', 'x']],
    ['data: text/plain ,x', ['text/plain', 'x']],
    ['data:text,x', [fallback, 'x']],
    ['data:text/,x', [fallback, 'x']],
    ['data:/plain,x', [fallback, 'x']],
    ['data:text/plain/x,x', [fallback, 'x']],
    ['data:te xt/plain,x', [fallback, 'x']],
    ['data:image/svg+xml,<svg/>', ['image/svg+xml', '<svg/>']],
    ['data:,a,b', [fallback, 'a,b']],
    ['data:,a%20b%2', [fallback, 'a b%2']],
    ['data:,%zz%41%', [fallback, '%zzA%']],
    ['data:,%FF%fe%00', [fallback, '\u00ff\u00fe\u0000']],
    ['data:,ü', [fallback, '\u00c3\u00bc']],
    ['data:,a?b=c', [fallback, 'a?b=c']],
    ['data:,a#b', [fallback, 'a']],
    ['data:,a#', [fallback, 'a']],
    ['data:,a%23b', [fallback, 'a#b']],
    ['data:,a\nb\tc', [fallback, 'abc']],
    ['data:x', undefined],
    ['data:', undefined],
    ['data:text/plain;base64', undefined],
    ['data:x#,y', undefined],
    ['data:;base64,SGVsbG8=', [fallback, 'Hello']],
    ['data:;base64,SGVsbG8', [fallback, 'Hello']],
    ['data:;base64,', [fallback, '']],
    ['data:base64,SGVsbG8=', [fallback, 'SGVsbG8=']],
    ['data:;BASE64,SGVsbG8=', [fallback, 'Hello']],
    ['data:;  base64,SGVsbG8=', [fallback, 'Hello']],
    ['data:;base64 ,SGVsbG8=', [fallback, 'Hello']],
    ['data:;base64;,SGVsbG8=', ['text/plain', 'SGVsbG8=']],
    ['data:;base64;base64,SGVsbG8=', ['text/plain', 'Hello']],
    ['data:image/png;base64,iVBORw0KGgo=', ['image/png', '\u0089PNG\r\n\u001a\n']],
    ['data:text/plain;a=b;base64,SGVsbG8=', ['text/plain;a=b', 'Hello']],
    ['data:text/plain;base64;a=b,SGVsbG8=', ['text/plain;a=b', 'SGVsbG8=']],
    ['data:;base64,SGVs%20bG8%3D', [fallback, 'Hello']],
    ['data:;base64,SGVs bG8=', [fallback, 'Hello']],
    ['data:;base64,%53GVsbG8=', [fallback, 'Hello']],
    ['data:;base64,SGVsbG8==', undefined],
    ['data:;base64,SGVsb', undefined],
    ['data:;base64,SGVs=bG8', undefined],
    ['data:;base64,SGVsbG8-', undefined],
    ['data:;base64,_-8=', undefined],
    ['data:;base64,SGVsbG8%0B', undefined],
    ['data:;base64,=', undefined],
    ['data:;base64,ab', [fallback, 'i']],
  ])('%j', async (url, expected) => {
    expect(ours(url)).toEqual(expected)
    expect(await platforms(url)).toEqual(expected)
  })

  test('the bytes have memory of their own', () => {
    const read = parseDataUrl(new URL('data:;base64,SGVsbG8='))
    expect(read?.bytes.buffer.byteLength).toBe(5)
    expect(parseDataUrl(new URL('data:,a%20b'))?.bytes.buffer.byteLength).toBe(3)
  })
})

import { createHash } from 'node:crypto'
import { argued, type Case, head, outcome, parity, raw, settled, textOf } from '../support/parity.ts'

const data: readonly Case[] = [
  'data:,Hello',
  'data:text/html;charset=utf-8,<p>ä',
  'data:;base64,SGVsbG8=',
  'data:image/png;base64,iVBORw0KGgo=',
  'data:text/plain,a%20b%00#fragment',
  'DATA:,x',
  'data:,',
].map((url) => ({ title: url, run: (fetch) => outcome(fetch(url)) }))

const more: readonly Case[] = [
  ...['data:x', 'data:;base64,a', 'data:;base64,_-'].map(
    (url): Case => ({ title: `${url} is a TypeError`, run: (fetch) => argued(fetch(url)) }),
  ),
  {
    title: 'data: with another method',
    run: async (fetch) => [
      await outcome(fetch('data:,x', { method: 'HEAD' })),
      await outcome(fetch('data:,x', { method: 'POST', body: 'a' })),
    ],
  },
  {
    title: 'data: in a Request, and the blob of the response',
    run: async (fetch) => {
      const response = await fetch(new Request('data:text/x;a=b,content'))
      const blob = await response.clone().blob()
      return [response.type, blob.type, await blob.text(), head(response)]
    },
  },
  {
    title: 'data: with an aborted signal',
    run: (fetch) => outcome(fetch('data:,x', { signal: AbortSignal.abort() })),
  },
  {
    title: 'data: with integrity',
    run: async (fetch) => [
      await outcome(fetch('data:,content', { integrity: `sha256-${digest('sha256')}` })),
      await argued(fetch('data:,other', { integrity: `sha256-${digest('sha256')}` })),
    ],
  },
]

/** The outcome for the URL of a Blob, which is not shown. */
async function ofBlob(
  fetchUrl: (url: string) => Promise<Response>,
  blob = new Blob(['content'], { type: 'text/x' }),
): Promise<unknown> {
  const url = URL.createObjectURL(blob)
  try {
    return JSON.parse(JSON.stringify((await argued(fetchUrl(url))) ?? null).replaceAll(url, 'blob:url'))
  } finally {
    URL.revokeObjectURL(url)
  }
}

/** Node.js 22 leaves the last byte of a range out. */
const blobRanges = await (async () => {
  const url = URL.createObjectURL(new Blob(['a']))
  const text = await settled(fetch(url, { headers: { range: 'bytes=0-0' } }).then((response) => response.text()))
  URL.revokeObjectURL(url)
  return text === 'a'
})()

const blobs: readonly Case[] = [
  { title: 'blob:', run: (fetch) => ofBlob((url) => fetch(url)) },
  { title: 'blob: of a Blob without a type', run: (fetch) => ofBlob((url) => fetch(url), new Blob(['content'])) },
  { title: 'blob: of an empty Blob', run: (fetch) => ofBlob((url) => fetch(url), new Blob([])) },
  { title: 'blob: with a fragment', run: (fetch) => ofBlob((url) => fetch(`${url}#a`)) },
  { title: 'blob: with a query', run: (fetch) => ofBlob((url) => fetch(`${url}?a`)) },
  { title: 'blob: that is unknown', run: (fetch) => argued(fetch('blob:nodedata:unknown')) },
  { title: 'blob: in a Request', run: (fetch) => ofBlob((url) => fetch(new Request(url))) },
  ...(['HEAD', 'POST', 'DELETE'] as const).map(
    (method): Case => ({ title: `blob: with ${method} is a TypeError`, run: (fetch) => ofBlob((url) => fetch(url, { method })) }),
  ),
  ...(blobRanges ? ['bytes=0-2', 'bytes=-3', 'bytes=2-100', 'bytes=0-'] : []).concat('bytes=9-10', 'bytes=a', 'lines=1-2').map(
    (range): Case => ({
      title: `blob: with the range ${range}`,
      run: (fetch) => ofBlob((url) => fetch(url, { headers: { range } })),
    }),
  ),
  {
    title: 'blob: is read as a stream, and cloned',
    run: async (fetch) => {
      const url = URL.createObjectURL(new Blob(['content']))
      const response = await fetch(url)
      URL.revokeObjectURL(url)
      const clone = response.clone()
      return [response.type, await response.text(), await textOf(clone.body)]
    },
  },
]

function digest(algorithm: string, content = 'content'): string {
  return createHash(algorithm).update(content).digest('base64')
}
const right = (algorithm: string): string => `${algorithm}-${digest(algorithm)}`
const wrong = (algorithm: string): string => `${algorithm}-${digest(algorithm, 'other')}`

const integrity: readonly Case[] = (
  [
    ['a right SHA-256', right('sha256')],
    ['a right SHA-384', right('sha384')],
    ['a right SHA-512', right('sha512')],
    ['a wrong SHA-256', wrong('sha256')],
    ['a wrong SHA-512', wrong('sha512')],
    ['several, one of them right', `${wrong('sha256')} ${right('sha256')}`],
    ['several, the strongest one wrong', `${right('sha256')} ${wrong('sha512')}`],
    ['several, the strongest one right', `${wrong('sha256')} ${right('sha512')}`],
    ['an unknown algorithm', 'md5-AAAA'],
    ['nothing', ''],
    ['base64url', right('sha512').replaceAll('+', '-').replaceAll('/', '_')],
    ['a digest that is none', 'sha256-!'],
  ] as const
).map(([title, value]) => ({
  title: `integrity: ${title}`,
  run: (fetch, origin) => outcome(fetch(origin, { integrity: value })),
}))

const withIntegrity: readonly Case[] = [
  {
    title: 'integrity of a response without a body is a TypeError',
    reply: raw('204 No Content', ['content-length: 0']),
    run: async (fetch, origin) => [
      await argued(fetch(origin, { integrity: right('sha256') })),
      await argued(fetch(origin, { integrity: 'md5-AAAA' })),
    ],
  },
  {
    title: 'integrity is that of a failed response, too',
    reply: raw('404 Not Found', [], 'content'),
    run: async (fetch, origin) => [
      await outcome(fetch(origin, { integrity: right('sha256') })),
      await argued(fetch(origin, { integrity: wrong('sha256') })),
    ],
  },
  {
    title: 'integrity of content that is cut short is a TypeError of the call',
    reply: raw('200 OK', ['content-length: 100'], 'content'),
    run: (fetch, origin) => argued(fetch(origin, { integrity: right('sha256') })),
  },
  {
    title: 'a body that was checked is read as any other',
    run: async (fetch, origin) => {
      const response = await fetch(origin, { integrity: right('sha256') })
      const clone = response.clone()
      return [head(response), await textOf(clone.body), await response.text(), head(response)]
    },
  },
]

parity('data: URLs', [...data, ...more])
parity('blob: URLs', blobs)
parity('integrity', [...integrity, ...withIntegrity])

import { type Case, parity, raw, settled, textOf, tried } from '../support/parity.ts'
import { beginning, chunked } from '../support/parity-replies.ts'

const textStream: Case = {
  title: 'textStream() gives the text in parts',
  reply: chunked,
  run: async (fetch, origin) => {
    const response = (await fetch(origin)) as Response & { textStream(): ReadableStream<string> }
    let text = ''
    for await (const part of response.textStream()) text += part
    return [text, response.bodyUsed, await settled(response.text())]
  },
}

const streams: readonly Case[] = [
  {
    title: 'a reader reads every byte, as Uint8Arrays',
    reply: chunked,
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const reader = (response.body as ReadableStream<Uint8Array>).getReader()
      const before = [response.bodyUsed, response.body?.locked]
      const parts: Buffer[] = []
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        if (part.value.constructor === Uint8Array) parts.push(Buffer.from(part.value))
      }
      return [before, Buffer.concat(parts).toString(), response.bodyUsed, await settled(reader.closed.then(() => 'closed'))]
    },
  },
  {
    title: 'a reader with a buffer of its own gets it filled',
    reply: chunked,
    run: async (fetch, origin) => {
      const reader = ((await fetch(origin)).body as ReadableStream<Uint8Array>).getReader({ mode: 'byob' })
      let text = ''
      for (let view = new Uint8Array(4); ; ) {
        const { done, value } = await reader.read(view)
        text += Buffer.from(value ?? []).toString()
        if (done) return [text, value?.byteLength, value?.buffer.byteLength]
        view = new Uint8Array(value.buffer)
      }
    },
  },
  {
    title: 'it is iterated over',
    reply: chunked,
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      return [await textOf(response.body), response.bodyUsed, response.body?.locked]
    },
  },
  {
    title: 'leaving the iteration cancels it and closes the connection',
    reply: beginning,
    run: async (fetch, origin, server) => {
      const response = await fetch(origin)
      for await (const _part of response.body ?? []) break
      await server.closed()
      return [response.bodyUsed, response.body?.locked, await settled(response.text())]
    },
  },
  // Node.js 26 has it.
  ...('textStream' in Response.prototype ? [textStream] : []),
  {
    title: 'it is piped',
    reply: chunked,
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const decoded = response.body?.pipeThrough(new TextDecoderStream())
      let text = ''
      for await (const part of decoded ?? []) text += part
      return [text, response.bodyUsed, response.body?.locked, await settled(response.text())]
    },
  },
  {
    title: 'both branches of a tee hold everything, and the response is locked',
    reply: chunked,
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const [one, two] = (response.body as ReadableStream<Uint8Array>).tee()
      const before = [response.bodyUsed, await settled(response.text())]
      return [before, await Promise.all([textOf(one), textOf(two)]), response.bodyUsed]
    },
  },
  {
    title: 'cancel uses the body up and closes the connection',
    reply: beginning,
    run: async (fetch, origin, server) => {
      const response = await fetch(origin)
      const cancelled = await response.body?.cancel('enough')
      await server.closed()
      return [cancelled ?? 'nothing', response.bodyUsed, await settled(response.text())]
    },
  },
  {
    title: 'cancel of a reader ends its read',
    reply: (response) => response.flushHeaders(),
    run: async (fetch, origin, server) => {
      const reader = ((await fetch(origin)).body as ReadableStream<Uint8Array>).getReader()
      const read = reader.read()
      await reader.cancel()
      await server.closed()
      return read
    },
  },
  {
    title: 'cancel of an empty body',
    reply: raw('200 OK'),
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      await response.body?.cancel()
      return [response.bodyUsed, await settled(response.text())]
    },
  },
  {
    title: 'the beginning arrives before the end was sent',
    reply: beginning,
    run: async (fetch, origin) => {
      const reader = ((await fetch(origin)).body as ReadableStream<Uint8Array>).getReader()
      const { value } = await reader.read()
      await reader.cancel()
      return Buffer.from(value ?? []).toString()
    },
  },
]

const locks: readonly Case[] = [
  {
    title: 'a locked body cannot be read, cloned or cancelled',
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      response.body?.getReader()
      return [
        await settled(response.text()),
        await tried(() => response.clone()),
        await settled((response.body as ReadableStream).cancel()),
        response.bodyUsed,
      ]
    },
  },
  {
    title: 'a body whose reader was let go unread can still be read',
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      response.body?.getReader().releaseLock()
      return [response.bodyUsed, await response.text(), response.bodyUsed]
    },
  },
  {
    title: 'a body of which a part was read cannot be read any more',
    reply: chunked,
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const reader = response.body?.getReader()
      await reader?.read()
      const during = response.bodyUsed
      reader?.releaseLock()
      return [during, response.bodyUsed, await settled(response.text()), await tried(() => response.clone())]
    },
  },
  {
    title: 'the body is one stream, before and after it is read',
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const body = response.body
      const text = await response.text()
      return [text, body === response.body, body?.locked, response.bodyUsed]
    },
  },
]

parity('the body as a stream', streams)
parity('a locked body', locks)

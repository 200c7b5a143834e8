import { describe, expect, test } from 'vitest'
import { WireBody } from '../../src/http/body.ts'
import { collect, decodeUtf8 } from '../../src/http/collect.ts'
import { streamOf } from '../../src/http/stream.ts'
import { type Tap, tapped } from '../../src/http/tap.ts'
import type { Body, Bytes, Watcher } from '../../src/types/body.ts'
import { rejection } from '../support/client.ts'

const bytes = (text: string): Bytes => new TextEncoder().encode(text)
const kilobytes = (count: number): Bytes => new Uint8Array(count * 1_024)

/** A body whose source, its tap and its watcher keep what they were told. */
function body(tap: Tap = {}): { source: WireBody; told: string[]; out: Body } {
  const told: string[] = []
  const source = new WireBody({
    pause: () => told.push('pause'),
    resume: () => told.push('resume'),
    abort: (reason) => told.push(`abort ${String(reason)}`),
  })
  const out = tapped(source, {
    part(part) {
      told.push(`part ${part.byteLength}`)
      tap.part?.(part)
    },
    end() {
      told.push('end')
      tap.end?.()
    },
    fail(error) {
      told.push(`fail ${String(error)}`)
      tap.fail?.(error)
    },
  })
  return { source, told, out }
}

const textOf = async (out: Body): Promise<string> => decodeUtf8(await collect(out))

/** A reader that takes nothing more after each part. */
const slow = { write: () => false, end() {}, fail() {} }

describe('a tapped body', () => {
  test('gives its reader what the source gives, and the tap each part and the end', async () => {
    const { source, told, out } = body()
    const text = textOf(out)
    source.write(bytes('ab'))
    source.write(bytes('cde'))
    source.end()
    expect(await text).toBe('abcde')
    expect(told).toEqual(['part 2', 'part 3', 'end'])
  })

  test('has looked at all before there is a reader, where it has come whole', async () => {
    const { source, told, out } = body()
    source.write(bytes('abc'))
    source.end()
    expect(told).toEqual(['part 3', 'end'])
    expect(out.done).toBe(true)
    expect(await textOf(out)).toBe('abc')
  })

  test('looks at what was there before it', async () => {
    const source = new WireBody({ pause() {}, resume() {}, abort() {} })
    source.write(bytes('a'))
    source.write(bytes('b'))
    source.end()
    const parts: number[] = []
    const out = tapped(source, { part: ({ byteLength }) => void parts.push(byteLength) })
    expect(parts).toEqual([1, 1])
    expect(await textOf(out)).toBe('ab')
  })

  test('pauses its source once enough is unread, and lets it go on for a reader', async () => {
    const { source, told, out } = body()
    expect([source.write(kilobytes(127)), source.write(kilobytes(1))]).toEqual([true, false])
    expect(told).toEqual(['part 130048', 'part 1024', 'pause'])
    const all = collect(out)
    expect(told.at(-1)).toBe('resume')
    source.end()
    expect((await all).length).toBe(2)
  })

  test('a reader that wants no more pauses the source until it goes on', () => {
    const { source, told, out } = body()
    out.attach(slow)
    expect(source.write(bytes('a'))).toBe(false)
    expect(told).toEqual(['part 1', 'pause'])
    out.resume()
    expect(told).toEqual(['part 1', 'pause', 'resume'])
  })

  test('a stream of it takes no more than it can hold', async () => {
    const { source, told, out } = body()
    const reader = streamOf(out).getReader()
    for (let count = 0; count < 3; count += 1) source.write(kilobytes(64))
    expect(told.filter((what) => what === 'pause')).toHaveLength(1)
    await reader.read()
    await reader.read()
    await reader.read()
    expect(told.at(-1)).toBe('resume')
    await reader.cancel('enough')
    expect(told.slice(-2)).toEqual(['fail enough', 'abort enough'])
  })

  test('a failure of the source is told once and fails the reader', async () => {
    const { source, told, out } = body()
    const text = textOf(out)
    source.write(bytes('a'))
    source.fail(new Error('lost'))
    source.fail(new Error('again'))
    expect(await rejection(text)).toEqual(new Error('lost'))
    expect(told).toEqual(['part 1', 'fail Error: lost'])
  })

  test('a failure before there is a reader waits for it', async () => {
    const { source, told, out } = body()
    source.fail(new Error('lost'))
    expect(told).toEqual(['fail Error: lost'])
    expect(await rejection(textOf(out))).toEqual(new Error('lost'))
  })

  test('one that is cancelled by its reader cancels the source, and nothing more is looked at', () => {
    const { source, told, out } = body()
    out.cancel('enough')
    source.write(bytes('late'))
    source.end()
    expect(told).toEqual(['fail enough', 'abort enough'])
    expect([source.done, out.done]).toEqual([true, true])
  })

  test('one whose source is cancelled fails its reader with the reason', async () => {
    const { source, told, out } = body()
    const text = textOf(out)
    source.cancel('gone')
    expect(await rejection(text)).toBe('gone')
    expect(told).toEqual(['fail gone', 'abort gone'])
  })

  test('what the tap throws fails the reader and cancels the source; no further part is looked at', async () => {
    const { source, told, out } = body({
      part() {
        throw new Error('no more')
      },
    })
    const text = textOf(out)
    source.write(bytes('a'))
    source.write(bytes('b'))
    source.end()
    expect(await rejection(text)).toEqual(new Error('no more'))
    expect(told).toEqual(['part 1', 'fail Error: no more', 'abort Error: no more'])
  })

  test('what the tap throws at the first of several parts that waited ends it there', async () => {
    const told: string[] = []
    const source = new WireBody({ pause() {}, resume() {}, abort: () => void told.push('abort') })
    for (const text of ['a', 'b', 'c']) source.write(bytes(text))
    const out = tapped(source, {
      part(part) {
        told.push(decodeUtf8([part]))
        throw new Error('no more')
      },
      fail: () => void told.push('fail'),
    })
    expect(told).toEqual(['a', 'fail', 'abort'])
    expect(await rejection(textOf(out))).toEqual(new Error('no more'))
  })

  test('what the tap throws at the end is what the body fails with', async () => {
    const { source, told, out } = body({
      end() {
        throw new Error('too short')
      },
    })
    const text = textOf(out)
    source.write(bytes('a'))
    source.end()
    expect(await rejection(text)).toEqual(new Error('too short'))
    expect(told).toEqual(['part 1', 'end', 'fail Error: too short'])
  })

  test('its watcher is told what the reader does, not what the source does', () => {
    const { source, out } = body()
    const seen: string[] = []
    const watcher: Watcher = {
      shown: (error) => error,
      flowing: () => void seen.push('flowing'),
      streaming() {},
      resting: () => void seen.push('resting'),
      ended: (reason) => void seen.push(`ended ${String(reason)}`),
    }
    out.watch(watcher)
    source.write(kilobytes(128))
    out.attach({ write: () => true, end() {}, fail() {} })
    source.end()
    expect(seen).toEqual(['flowing', 'resting', 'flowing', 'ended undefined'])
  })
})

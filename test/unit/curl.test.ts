import { describe, expect, it } from 'vitest'
import { recordHar, toCurl, traceOf } from '../../src/index.ts'
import { clientOf, rejection } from '../support/client.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

const target = 'https://api.example.com/a'
const usual = "-H 'accept: */*' -H 'user-agent: steadfetch'"

describe('toCurl', () => {
  it('tells the request of an error, with its secrets masked', async () => {
    const { fetch } = clientOf([reply(404)])
    const headers = { authorization: 'Bearer hidden', 'x-note': "it's" }
    const error = await rejection(fetch(`${target}?token=hidden&b=[1]`, { headers }))
    expect(toCurl(error)).toBe(
      `curl 'https://api.example.com/a?token=***&b=[1]' --globoff ${usual} -H 'authorization: ***' -H 'x-note: it'\\''s' --compressed`,
    )
  })

  it.each([
    ['a failure', async () => rejection(clientOf([fetchFailed('ECONNREFUSED')], { maxAttempts: 1 }).fetch(target))],
    ['a response', () => clientOf([reply(200)]).fetch(target)],
    ['the reason of an abort', () => rejection(clientOf([]).fetch(target, { signal: AbortSignal.abort(new Error('enough')) }))],
    ['a substitute', () => clientOf([reply(503)], { on: { 503: 'accept' } }).fetch(target)],
  ])('tells the request of %s', async (_what, result) => {
    expect(toCurl(await result())).toBe(`curl '${target}' ${usual} --compressed`)
  })

  it('tells the latest request of a redirect', async () => {
    const { fetch } = clientOf([reply(303, { location: '/b' }), reply(200)])
    const response = await fetch(target, { method: 'POST', body: 'a', headers: { 'content-type': 'text/plain' } })
    expect(toCurl(response)).toBe(`curl 'https://api.example.com/b' ${usual} --compressed`)
  })

  it('reads from standard input what errors and responses do not keep', async () => {
    const { fetch } = clientOf([reply(422)])
    const command = `curl '${target}' ${usual} -H 'content-type: application/json' --compressed --data-binary @-`
    expect(toCurl(await rejection(fetch(target, { method: 'POST', json: { a: 1 } })))).toBe(command)
    const response = await fetch(target, { method: 'PUT', json: {}, errors: 'return' })
    const before = toCurl(response)
    await response.text()
    expect(toCurl(response)).toBe(before)
    expect(before).toBe(command.replace(' -H', " -X 'PUT' -H"))
  })

  it('tells an entry of an archive with its content, and without what curl writes itself', async () => {
    const { fetch } = clientOf([reply(200)])
    const recorder = recordHar(fetch, { content: true })
    await fetch(target, { method: 'PATCH', json: { pin: 1, name: "O'Hara" }, headers: { 'x-empty': '' } })
    const entry = recorder.archive().log.entries[0]
    expect(toCurl(entry)).toBe(
      `curl '${target}' -X 'PATCH' ${usual} -H 'x-empty;' -H 'content-type: application/json' --compressed ` +
        `--data-raw '{"pin":"***","name":"O'\\''Hara"}'`,
    )
    const headers = [':authority', 'host', 'content-length', 'connection', 'transfer-encoding', 'accept-encoding', 'expect']
    const own = headers.map((name) => ({ name, value: name === 'host' ? 'api.example.com' : 'x' }))
    expect(toCurl({ request: { method: 'GET', url: target, headers: own } })).toBe(`curl '${target}' --compressed`)
    const other = [{ name: 'host', value: 'other.example' }]
    expect(toCurl({ request: { method: 'GET', url: target, headers: other } })).toContain("-H 'host: other.example'")
  })

  it('tells a trace, and whatever has a method and a URL', async () => {
    const { fetch, clock } = clientOf([reply(503), reply(200)])
    const trace = traceOf(await clock.drive(fetch(target)))
    expect(toCurl(trace)).toBe(`curl '${target}' --compressed`)
    expect(toCurl({ method: 'HEAD', url: `${target}?sig=hidden` })).toBe(`curl '${target}?sig=***' --head --compressed`)
    expect(toCurl({ method: 'GET', url: 'http://[::1]/{a}' })).toBe("curl 'http://[::1]/{a}' --globoff --compressed")
  })

  it.each([undefined, null, 1, 'text', {}, new Error('of others'), { attempts: [] }, { method: 'GET' }, new Response()])(
    'gives nothing for what tells of no request: %s',
    (value) => expect(toCurl(value)).toBeUndefined(),
  )
})

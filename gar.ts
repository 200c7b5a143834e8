import { createServer as tlsServer } from 'node:tls'
import { createServer, connect } from 'node:net'
import { readFileSync } from 'node:fs'
import { createFetch } from '/tmp/wt/suite/src/index.ts'
const pem = (n: string) => readFileSync(`/tmp/wt/suite/test/support/certificates/${n}.pem`, 'utf8')
let near: any
const s = tlsServer({ key: pem('server-key'), cert: pem('server') }, (t) => { t.on('error', () => {}); t.on('data', () => { console.log('request came'); near.write('garbage that is no record of TLS'.repeat(2_000)) }) })
await new Promise<void>(r => s.listen(0, '127.0.0.1', r))
const p = createServer((c) => { near = c; const far = connect((s.address() as any).port, '127.0.0.1'); c.pipe(far).pipe(c); c.on('error', () => {}); far.on('error', () => {}) })
await new Promise<void>(r => p.listen(0, '127.0.0.1', r))
const { connect: tc } = await import('node:tls'); const q = tc({ host: '127.0.0.1', port: (p.address() as any).port, ca: pem('ca') }, () => q.write('GET / HTTP/1.1\r\n\r\n')); q.on('error', (e) => console.log('plain tls', e.message)); q.on('data', (d) => console.log('data', d.length)); await new Promise(r => setTimeout(r, 1000)); const api = createFetch({ connect: { ca: pem('ca') }, timeoutMs: 1500 })
const { request, Agent } = await import('undici'); try { await request(`https://127.0.0.1:${(p.address() as any).port}/`, { method: 'POST', body: 'x', signal: AbortSignal.timeout(1500), dispatcher: new Agent({ connect: { ca: pem('ca') } }) }) } catch (e) { console.log('undici', e) }; near.on('close', () => console.log('near closed'))

process.exit()

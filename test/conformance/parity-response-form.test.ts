import { type Case, parity, raw, settled } from '../support/parity.ts'

const withType = (type: string, body: string | Buffer): Buffer => raw('200 OK', [`content-type: ${type}`], body)
const multipart = (body: string, type = 'multipart/form-data; boundary=b'): Buffer =>
  withType(type, Buffer.from(body.replaceAll('\n', '\r\n')))

/** Every entry of a form, files as their name, type and text. */
async function entries(form: FormData): Promise<unknown[]> {
  const list: unknown[] = []
  for (const [name, value] of form) {
    list.push(typeof value === 'string' ? [name, value] : [name, value.name, value.type, await value.text()])
  }
  return list
}

const file = '--b\nContent-Disposition: form-data; name="file"; filename="a.txt"\nContent-Type: text/x\n\nä\n--b--\n'
const forms: readonly Case[] = (
  [
    [
      'of multipart content',
      multipart(
        '--b\nContent-Disposition: form-data; name="a"\n\n1\n--b\nContent-Disposition: form-data; name="a"\n\nzwei €\n--b--\n',
      ),
    ],
    ['with a file', multipart(file)],
    ['with a quoted boundary', multipart(file, 'multipart/form-data; boundary="b"')],
    ['with an escaped name', multipart('--b\nContent-Disposition: form-data; name="a%22%0D%0A"\n\n1\n--b--\n')],
    ['of urlencoded content', withType('application/x-www-form-urlencoded', 'a=1&b=%C3%A4+c&a=2&d')],
    ['of urlencoded content with a charset', withType('application/x-www-form-urlencoded; charset=utf-8', 'a=1')],
    ['of another type', withType('text/plain', 'a=1')],
    ['without a type', raw('200 OK', [], 'a=1')],
    ['without a boundary', multipart(file, 'multipart/form-data')],
    ['with another boundary', multipart(file, 'multipart/form-data; boundary=c')],
    ['of multipart content that is cut short', multipart('--b\nContent-Disposition: form-data; name="a"\n\n1')],
    ['of multipart content without a part', multipart('--b--\n')],
  ] as const
).map(([rule, reply]) => ({
  title: `formData() ${rule}`,
  reply,
  run: async (fetch, origin) => {
    const response = await fetch(origin)
    return [await settled(response.formData().then(entries)), response.bodyUsed]
  },
}))

parity('the form in a response', forms)

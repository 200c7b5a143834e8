// Sends as many bytes as it is asked for, the same buffer over and over, as fast as they are taken.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const part = Buffer.alloc(65_536, 'x')

const server = createServer((request, response) => {
  let left = Number(request.url?.slice(1))
  const more = (): void => {
    while (left > 0) {
      const next = left < part.length ? part.subarray(0, left) : part
      left -= next.length
      if (!response.write(next)) return void response.once('drain', more)
    }
    response.end()
  }
  response.writeHead(200)
  more()
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())

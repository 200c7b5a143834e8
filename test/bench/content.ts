// What is sent in either direction. Server and clients read it from here, so that each can check the other.

const record = { id: 4711, name: 'Ada Lovelace', email: 'ada@example.com', active: true, roles: ['admin', 'author'], score: 98.6 }
const item = { sku: 'A-1000', title: 'Difference engine', quantity: 2, price: { amount: 1250, currency: 'EUR' } }

/** The answer to a GET: 200 bytes of JSON. */
export const user = sized(record, 200)

/** The content of a POST: 1 KiB of JSON. */
export const order = sized({ customer: record, items: [item, item, item, item, item, item] }, 1_024)

/** 64 KiB of text. */
export const text = 'All work and no play makes Jack a dull boy. '.repeat(1_490).slice(0, 65_536)

/** The content of a 404, RFC 9457. */
export const problem = JSON.stringify({
  type: 'https://example.com/problems/no-such-user',
  title: 'Not Found',
  status: 404,
  detail: 'There is no user 4711.',
})

/** One in `flakyEvery` requests to /flaky/… is answered with a 503 first: 20 %. */
export const flakyEvery = 5

function sized<Value extends object>(value: Value, bytes: number): Value & { readonly note: string } {
  const bare = JSON.stringify({ ...value, note: '' }).length
  return { ...value, note: 'x'.repeat(bytes - bare) }
}

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { both } from '../support/parity.ts'
import { differences } from '../support/parity-differences.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').replace(/\s+/g, ' ')

describe('what differs from the global fetch on purpose', () => {
  test.each(differences)('$title: it does differ', async (difference) => {
    const { platform, ours } = await both(difference)
    expect(platform).not.toEqual({})
    expect(ours).not.toEqual(platform)
  })

  test.each(differences)('$title: the README tells', ({ sentence }) => {
    expect(readme).toContain(sentence)
  })
})

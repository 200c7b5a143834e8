import { expect } from 'vitest'
import { type HarEntry, type HarOptions, type HarRecorder, recordHar, type SteadFetch } from '../../src/index.ts'
import { harProblems } from './har-check.ts'

/** A recorder, and its entries once the archive has been checked. */
export function recorded(fetch: SteadFetch, options?: HarOptions): { recorder: HarRecorder; entries: () => readonly HarEntry[] } {
  const recorder = recordHar(fetch, options)
  return {
    recorder,
    entries: () => {
      const archive = recorder.archive()
      expect(harProblems(archive)).toEqual([])
      return archive.log.entries
    },
  }
}

/** The one entry there is. */
export function sole(entries: readonly HarEntry[]): HarEntry {
  expect(entries).toHaveLength(1)
  return entries[0] as HarEntry
}

/** The fields as a record. */
export function fieldsOf({ headers }: { readonly headers: HarEntry['request']['headers'] }): Record<string, string> {
  return Object.fromEntries(headers.map(({ name, value }) => [name, value]))
}

/** One set of tests of the suite. */
export interface TestSet {
  readonly tests: readonly { readonly id: string; readonly kind?: Kind; readonly cdn_only?: boolean }[]
}

type Kind = 'required' | 'optimal' | 'check'

/** What the suite calls a failure of a required, an optimal and a checked one. */
const failures = new Set(['fail', 'optional_fail', 'no'])

/** What came of each test: true, or the kind and the message of its failure. */
export type Results = Readonly<Record<string, true | readonly [string, string]>>

interface Count {
  passed: number
  /** The tests that failed, each with why. */
  readonly failed: string[]
  /** Those that could not be judged, such as for a retry, or for a part of the cache that the test builds on. */
  readonly undecided: string[]
}

interface Judge {
  readonly resultTypes: Readonly<Record<string, unknown>>
  determineTestResult(sets: readonly TestSet[], id: string, results: Results, honoursDependencies: boolean): unknown
}

/** Counts the kinds of tests apart. What failed before it came to the point is listed as such. */
export function counted(judge: Judge, sets: readonly TestSet[], results: Results): Readonly<Record<Kind, Count>> {
  const counts = { required: count(), optimal: count(), check: count() }
  for (const { tests } of sets) {
    for (const { id, kind = 'required' } of tests) {
      const result = results[id]
      if (result === undefined) continue
      if (result === true) counts[kind].passed += 1
      else {
        const name = nameOf(judge, sets, id, results)
        counts[kind][failures.has(name) ? 'failed' : 'undecided'].push(`${id}: ${name}, ${result.join(': ')}`)
      }
    }
  }
  return counts
}

/** The counts and the failures in words. */
export function reported(counts: ReturnType<typeof counted>, title: string): string {
  const lines = Object.entries(counts).flatMap(([kind, { passed, failed, undecided }]) => [
    `${kind}: ${passed} passed, ${failed.length} failed, ${undecided.length} undecided`,
    ...[...failed, ...undecided].map((failure) => `  ${failure}`),
  ])
  return `${[title, ...lines].join('\n')}\n`
}

function count(): Count {
  return { passed: 0, failed: [], undecided: [] }
}

function nameOf({ resultTypes, determineTestResult }: Judge, sets: readonly TestSet[], id: string, results: Results): string {
  const type = determineTestResult(sets, id, results, false)
  return Object.keys(resultTypes).find((name) => resultTypes[name] === type) ?? 'unknown'
}

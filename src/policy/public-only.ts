import { targetSets } from '../http/target-sets.ts'
import type { TargetOptions } from '../types/targets.ts'

/**
 * Rules for targets that come from outside, for the option `targets`: nothing but addresses that the registries of IANA call
 * globally reachable. Other rules go beside it, as in `{ ...publicOnly, ports: [443] }`.
 */
export const publicOnly: TargetOptions & { readonly deny: readonly (typeof targetSets)[number][] } = Object.freeze({
  deny: Object.freeze([...targetSets]),
})

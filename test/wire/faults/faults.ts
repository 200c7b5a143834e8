import { aborts } from './cases/aborts.ts'
import { connections } from './cases/connections.ts'
import { content } from './cases/content.ts'
import { cuts } from './cases/cuts.ts'
import { framing } from './cases/framing.ts'
import { heads } from './cases/head.ts'
import { hostile } from './cases/hostile.ts'
import { interims } from './cases/interim.ts'
import { kept } from './cases/kept.ts'
import { oddities } from './cases/oddities.ts'
import { redirects } from './cases/redirects.ts'
import { requests } from './cases/requests.ts'
import { times } from './cases/times.ts'
import type { Fault } from './fault.ts'

/** Every fault of the suite, group by group. */
export const faults: readonly Fault[] = [
  cuts,
  framing,
  heads,
  interims,
  kept,
  connections,
  redirects,
  content,
  requests,
  aborts,
  times,
  oddities,
  hostile,
].flat()

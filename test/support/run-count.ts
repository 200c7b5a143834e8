/** How often a property runs: as often as it says, or as FUZZ_RUNS in the environment says for all. */
export function runCount(usual: number): number {
  return Number(process.env.FUZZ_RUNS) || usual
}

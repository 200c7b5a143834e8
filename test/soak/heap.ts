// The heap in the course of the soak.

/** Growth that is none: this part of what there was, or so many bytes. */
const growthRatio = 0.05
const growthBytes = 1_048_576

/** Bytes in use once everything that nobody holds has been collected. */
export async function bytesInUse(): Promise<number> {
  // Twice, with turns in between: finalizers let go of more.
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    globalThis.gc?.()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Whether the last third of the samples is no higher than the second. */
export function isFlat(samples: readonly number[]): boolean {
  const third = Math.max(1, Math.floor(samples.length / 3))
  const last = median(samples.slice(-third))
  const second = median(samples.slice(-2 * third, -third))
  return last - second <= Math.max(growthRatio * second, growthBytes)
}

function median(samples: readonly number[]): number {
  return [...samples].sort((a, b) => a - b)[samples.length >> 1] as number
}

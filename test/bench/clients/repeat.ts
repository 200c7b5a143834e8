/** Attempts of every client in the flaky workload, the first included. */
export const maxAttempts = 3

/** The loop around a client that has no retries: sends again while the answer is a 503 and attempts are left. */
export async function repeated<Answer>(
  send: () => Promise<Answer>,
  statusOf: (answer: Answer) => number,
  discard: (answer: Answer) => Promise<unknown>,
): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await send()
    if (statusOf(answer) !== 503 || attempt === maxAttempts) return answer
    await discard(answer)
  }
}

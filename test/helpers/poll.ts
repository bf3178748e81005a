/** Waiting for an effect of the kernel that has no event to wait on: look again until it is there or the deadline has passed. */
import { patience } from './patience';

/** Calls `look` until `done` accepts its answer; gives the last answer either way. */
export async function pollUntil<T>(
  look: () => T | Promise<T>,
  done: (answer: T) => boolean,
  deadlineMs = 5_000,
): Promise<T> {
  const end = performance.now() + deadlineMs * patience;
  for (let pause = 2; ; pause = Math.min(pause * 2, 100)) {
    const answer = await look();
    if (done(answer) || performance.now() >= end) return answer;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Like pollUntil for a condition, but throws with `what` when the deadline passes first. */
export async function waitFor(what: string, look: () => boolean | Promise<boolean>, deadlineMs = 5_000): Promise<void> {
  const seen = await pollUntil(look, (answer) => answer, deadlineMs);
  if (!seen) throw new Error(`not within ${deadlineMs * patience} ms: ${what}`);
}

import { messageOf } from "./errors.js";
import type { Log } from "./log.js";

/** What is done, by what it is called in the log. */
export type ClosingSteps = Readonly<Record<string, () => Promise<unknown> | undefined>>;

/**
 * Takes every step in turn, also after one that failed; each failure is logged.
 * @throws naming the steps that failed, when all are done.
 */
export async function closeAll(log: Log, steps: ClosingSteps): Promise<void> {
  const failed: string[] = [];
  for (const [step, take] of Object.entries(steps)) {
    try {
      await take();
    } catch (error) {
      failed.push(step);
      log.error({ err: error, step, reason: messageOf(error) }, "a step of the shutdown failed");
    }
  }
  if (failed.length > 0) throw new Error(`failed to close: ${failed.join(", ")}`);
}

import { setImmediate as othersTurn } from "node:timers/promises";

export { othersTurn };

/** Does work that is cut into slices, and lets everything else that waits have its turn after each. */
export async function inSlices<Result>(work: Generator<undefined, Result, undefined>): Promise<Result> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await othersTurn();
  }
}

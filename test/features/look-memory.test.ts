import { describe, expect, it, vi } from "vitest";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import { createLookMemory } from "../../src/features/signals/look-memory.js";
import lookAt, { type LookTask } from "../../src/features/signals/worker.js";
import type { Workers } from "../../src/platform/workers.js";
import { pulledWalk } from "../fixtures/planted-walks.js";

const walk = pulledWalk(900, 4, 0.3);
const task = (to = 700, changed: Partial<Candles> = {}): LookTask => {
  const candles = { ...sliceCandles(walk, to - 600, to), ...changed };
  return { candles, from: candles.time.length - 5 };
};

function memory(most?: number) {
  const run = vi.fn(async (_: unknown, given: LookTask) => lookAt(given));
  return { run, look: createLookMemory({ run } as unknown as Pick<Workers, "run">, most) };
}

describe("looks at windows of bars", () => {
  it("are taken once of the same bars, however often they were loaded, and are what a new look says", async () => {
    const { run, look } = memory();
    const found = [await look("1 1h", task()), await look("1 1h", task()), await look("2 1h", task())];
    for (const each of found) expect(each).toEqual(lookAt(task()));
    expect(run).toHaveBeenCalledTimes(2);
  });

  it("are taken again with a bar more, another value in any bar and column, or another first bar", async () => {
    const { run, look } = memory();
    await look("1 1h", task());
    const differing: LookTask[] = [task(701), { ...task(), from: 500 }];
    for (const name of ["open", "high", "low", "close", "volume"] as const)
      for (const at of [0, 300, 599])
        differing.push(
          task(700, { [name]: task().candles[name].map((value, i) => (i === at ? value * 1.0001 : value)) }),
        );
    for (const [k, each] of differing.entries()) {
      expect(await look("1 1h", each)).toEqual(lookAt(each));
      expect(run).toHaveBeenCalledTimes(2 + 2 * k);
      await look("1 1h", task());
    }
  });

  it("are shared by those who ask at once, and taken again after one that failed", async () => {
    const { run, look } = memory();
    await Promise.all([look("1 1h", task()), look("1 1h", task())]);
    expect(run).toHaveBeenCalledTimes(1);
    run.mockRejectedValueOnce(new Error("a thread died"));
    await expect(look("1 1h", task(710))).rejects.toThrow("a thread died");
    expect(await look("1 1h", task(710))).toEqual(lookAt(task(710)));
  });

  it("are forgotten where others have come, those that were asked for longest ago first", async () => {
    const { run, look } = memory(2);
    for (const key of ["1", "2", "1", "3"]) await look(key, task());
    expect(run).toHaveBeenCalledTimes(3);
    await look("1", task());
    expect(run).toHaveBeenCalledTimes(3);
    await look("2", task());
    expect(run).toHaveBeenCalledTimes(4);
  });
});

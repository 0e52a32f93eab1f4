import { afterEach, describe, expect, it } from "vitest";
import { sleep, systemClock } from "../../src/platform/clock.js";
import { createLoop, type Loop, type LoopDefinition } from "../../src/platform/loop.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { createManualClock } from "../fixtures/clock.js";
import { eventually, expectNothingUnhandled, timed } from "../fixtures/faults.js";
import { createRecordedLog } from "../fixtures/log.js";

expectNothingUnhandled();

const HOUR_MS = 3_600_000;
const open: Loop[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((loop) => loop.stop()));
});

function startLoop(definition: Partial<LoopDefinition> & Pick<LoopDefinition, "run">) {
  const recorded = createRecordedLog();
  const metrics = createMetrics("test");
  const loop = createLoop(
    { name: "probe", everyMs: () => HOUR_MS, timeoutMs: 10_000, ...definition },
    { clock: systemClock, log: recorded.log, metrics },
  );
  open.push(loop);
  loop.start();
  return { loop, metrics, lines: recorded.lines };
}

/** Runs that count themselves and note whether two were ever underway. */
function counter(work: (signal: AbortSignal) => Promise<void>) {
  const seen = { runs: 0, underway: 0, most: 0 };
  return {
    seen,
    async run(_now: number, signal: AbortSignal) {
      seen.runs++;
      seen.most = Math.max(seen.most, ++seen.underway);
      try {
        await work(signal);
      } finally {
        seen.underway--;
      }
    },
  };
}

describe("a loop", () => {
  it("runs at once, then again after its period, and tells of it", async () => {
    const { seen, run } = counter(async () => undefined);
    const { loop, metrics } = startLoop({ run, everyMs: () => 30 });
    await eventually("three runs", () => seen.runs >= 3);
    const health = loop.health();
    expect(health).toMatchObject({ name: "probe", everyMs: 30, failures: 0, lastError: null });
    expect(["READY", "RUNNING"]).toContain(health.state);
    expect(Date.now() - (health.lastSuccessAt ?? 0)).toBeLessThan(1_000);
    await loop.stop();
    expect(loop.health().state).toBe("STOPPED");
    expect(await metrics.registry.metrics()).toMatch(/tx_loop_runs_total\{loop="probe",outcome="ok"\} \d/);
  });

  it("is started once, however often it is told to", async () => {
    const { seen, run } = counter(() => sleep(5));
    const { loop } = startLoop({ run });
    loop.start();
    loop.start();
    await sleep(50);
    expect(seen).toMatchObject({ runs: 1, most: 1 });
  });

  it("never overlaps, though its period is shorter than a run and it is triggered all the time", async () => {
    const { seen, run } = counter(() => sleep(20));
    const { loop } = startLoop({ run, everyMs: () => 1 });
    for (let i = 0; i < 100; i++) {
      loop.trigger();
      await sleep(2);
    }
    expect(seen.most).toBe(1);
    expect(seen.runs).toBeGreaterThan(5);
  });

  it("runs once more, not twice, when it is triggered during a run", async () => {
    const { seen, run } = counter(() => sleep(60));
    const { loop } = startLoop({ run });
    await eventually("the first run", () => seen.runs === 1);
    for (let i = 0; i < 5; i++) loop.trigger();
    await eventually("the second run", () => seen.runs === 2);
    await eventually("its end", () => seen.underway === 0);
    await sleep(80);
    expect(seen.runs).toBe(2);
  });

  it("runs at once when it is triggered while it waits, and not when it is stopped", async () => {
    const { seen, run } = counter(async () => undefined);
    const { loop } = startLoop({ run });
    await eventually("the first run", () => loop.health().lastSuccessAt !== null);
    loop.trigger();
    await eventually("the second run", () => seen.runs === 2);
    await loop.stop();
    loop.trigger();
    await sleep(30);
    expect(seen.runs).toBe(2);
  });

  it("can be started again after it was stopped", async () => {
    const { seen, run } = counter(async () => undefined);
    const { loop } = startLoop({ run });
    await eventually("the first run", () => seen.runs === 1);
    await loop.stop();
    loop.start();
    await eventually("the second run", () => seen.runs === 2);
    expect(loop.health().state).not.toBe("STOPPED");
  });
});

describe("time", () => {
  it("an aligned loop runs at multiples of its period", async () => {
    const starts: number[] = [];
    // Begun in the middle of a period, so that one that only counts from its last run is found out.
    await sleep(400 - ((Date.now() + 200) % 400));
    startLoop({ aligned: true, everyMs: () => 400, run: async (now) => void starts.push(now) });
    await eventually("four runs", () => starts.length >= 4);
    const late = starts.slice(1).map((start) => start % 400);
    expect(late.sort((a, b) => a - b)[0]).toBeLessThan(150);
    expect(new Set(starts.map((start) => Math.floor(start / 400))).size).toBe(starts.length);
  });

  it("an aligned loop never runs before its time, though timers come early by the clock it was given", async () => {
    const begun = Date.now();
    const slow = { ...systemClock, now: () => begun + (Date.now() - begun) * 0.8 };
    const starts: number[] = [];
    const loop = createLoop(
      {
        name: "probe",
        aligned: true,
        everyMs: () => 200,
        timeoutMs: 1_000,
        run: async (now) => void starts.push(now),
      },
      { clock: slow, log: createRecordedLog().log, metrics: createMetrics("test") },
    );
    open.push(loop);
    loop.start();
    await eventually("five runs", () => starts.length >= 5);
    expect(new Set(starts.map((start) => Math.floor(start / 200))).size).toBe(starts.length);
  });

  it("the period is read before each wait", async () => {
    let period = 20;
    const { seen, run } = counter(async () => undefined);
    startLoop({ run, everyMs: () => period });
    await eventually("two runs", () => seen.runs >= 2);
    period = HOUR_MS;
    await sleep(60);
    const before = seen.runs;
    await sleep(100);
    expect(seen.runs).toBe(before);
  });

  it("a period longer than a timer can be is waited for", async () => {
    const { seen, run } = counter(async () => undefined);
    startLoop({ run, everyMs: () => 40 * 86_400_000, timeoutMs: 40 * 86_400_000 });
    startLoop({ run, everyMs: () => 40 * 86_400_000, aligned: true });
    await sleep(80);
    expect(seen.runs).toBe(2);
  });

  it("tells by the clock it was given when it ran", async () => {
    const clock = createManualClock(Date.UTC(2024, 0, 2));
    const loop = createLoop(
      { name: "probe", everyMs: () => HOUR_MS, timeoutMs: 1_000, run: async () => undefined },
      { clock, log: createRecordedLog().log, metrics: createMetrics("test") },
    );
    open.push(loop);
    loop.start();
    await eventually("the first run", () => loop.health().lastSuccessAt !== null);
    expect(loop.health()).toMatchObject({ lastStartedAt: clock.now(), lastSuccessAt: clock.now() });
  });
});

describe("a run that fails", () => {
  const ways: Record<string, (signal: AbortSignal) => Promise<void>> = {
    "rejects with an error": () => Promise.reject(new Error("broken")),
    "throws before it returns a promise": () => {
      throw new Error("broken");
    },
    "rejects with nothing": () => Promise.reject(undefined),
    "rejects with a text": () => Promise.reject("broken"),
  };
  for (const [way, work] of Object.entries(ways)) {
    it(`${way}: it is told of and the next one comes`, async () => {
      let failing = true;
      const { loop, lines, metrics } = startLoop({
        everyMs: () => 20,
        run: (_now, signal) => (failing ? work(signal) : Promise.resolve()),
      });
      await eventually("two failures", () => loop.health().failures >= 2);
      expect(loop.health().lastSuccessAt).toBeNull();
      expect(loop.health().lastError).not.toBeNull();
      expect(lines().some((line) => line.includes("loop run failed"))).toBe(true);
      expect(await metrics.registry.metrics()).toContain('outcome="error"');
      await eventually("DEGRADED", () => loop.health().state === "DEGRADED");
      failing = false;
      await eventually("READY", () => loop.health().state === "READY");
      expect(loop.health().lastError).toBeNull();
    });
  }

  it("takes too long: its signal aborts, it is DEGRADED, and the next one comes", async () => {
    let calls = 0;
    const reasons: unknown[] = [];
    const { loop } = startLoop({
      everyMs: () => 20,
      timeoutMs: 50,
      async run(_now, signal) {
        if (++calls > 1) return;
        await sleep(60_000, signal);
        reasons.push(signal.reason);
        signal.throwIfAborted();
      },
    });
    await eventually("the abort", () => reasons.length === 1, 1_000);
    await eventually("the failure", () => loop.health().failures === 1);
    await eventually("the next run", () => calls >= 2);
    expect(loop.health().lastSuccessAt).not.toBeNull();
  });

  it("ignores that its time is over: it is DEGRADED while it lasts, and nothing runs beside it", async () => {
    let release: () => void = () => undefined;
    const { seen, run } = counter(() => new Promise((resolve) => (release = () => resolve())));
    const { loop, lines } = startLoop({ run, everyMs: () => 10, timeoutMs: 40 });
    await eventually("DEGRADED", () => loop.health().state === "DEGRADED", 1_000);
    expect(loop.health()).toMatchObject({ failures: 1, lastError: "took longer than 40 ms", runs: 1 });
    expect(lines().filter((line) => line.includes("took longer than 40 ms"))).toHaveLength(1);
    loop.trigger();
    await sleep(60);
    expect(seen).toMatchObject({ runs: 1, most: 1 });
    expect(loop.health().failures).toBe(1);
    release();
    await eventually("the next run", () => seen.runs === 2);
    release();
  });
});

describe("stop", () => {
  it("aborts a run underway and resolves when it has ended", async () => {
    let ended = false;
    const { loop, lines } = startLoop({
      async run(_now, signal) {
        await sleep(60_000, signal);
        await sleep(30);
        ended = true;
        signal.throwIfAborted();
      },
    });
    await eventually("the run", () => loop.health().state === "RUNNING");
    await loop.stop();
    expect(ended).toBe(true);
    expect(loop.health()).toMatchObject({ state: "STOPPED", failures: 0 });
    expect(lines()).toEqual([]);
  });

  it("does not wait for ever for a run that ignores it", async () => {
    let release: () => void = () => undefined;
    const { seen, run } = counter(() => new Promise((resolve) => (release = () => resolve())));
    const { loop, lines } = startLoop({ run });
    await eventually("the run", () => seen.runs === 1);
    const { ms } = await timed(() => loop.stop());
    expect(ms).toBeLessThan(7_000);
    expect(loop.health().state).toBe("STOPPED");
    expect(lines().join()).toContain("has not ended");
    // Started again, it waits for the old run.
    loop.start();
    await sleep(30);
    expect(seen.runs).toBe(1);
    release();
    await eventually("the new run", () => seen.runs === 2);
    expect(seen.most).toBe(1);
    release();
    await loop.stop();
  });

  it("is quick while the loop waits, and harmless before the start and twice", async () => {
    const { loop } = startLoop({ run: async () => undefined });
    await eventually("the first run", () => loop.health().lastSuccessAt !== null);
    expect((await timed(() => loop.stop())).ms).toBeLessThan(2_000);
    await loop.stop();
    expect(loop.health().state).toBe("STOPPED");
  });
});

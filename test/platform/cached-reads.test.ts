import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createCache, createMemoryStore } from "../../src/platform/cache.js";
import { createCachedReads } from "../../src/platform/cached-reads.js";
import { inTime, timeLeftMs, within } from "../../src/platform/deadline.js";
import { AppError } from "../../src/platform/errors.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { createManualClock } from "../fixtures/clock.js";

const NOW = Date.parse("2024-07-09T15:00Z");
const KIND = { prefix: "number1", schema: z.number(), freshMs: 30_000 };

function open() {
  const clock = createManualClock(NOW);
  const cache = createCache(createMemoryStore(), createMetrics("test"));
  const source = { loads: 0, value: 1, error: null as AppError | null };
  const reads = createCachedReads({ cache, now: clock.now });
  const read = () =>
    reads.read(KIND, "a", async () => {
      source.loads++;
      if (source.error !== null) throw source.error;
      return source.value;
    });
  return { clock, source, read };
}

describe("a cached read", () => {
  it("asks once while the value is fresh, and again when it is not", async () => {
    const { clock, source, read } = open();
    expect(await read()).toEqual({ value: 1, readAtMs: NOW, ageMs: 0, stale: false, trouble: null });
    source.value = 2;
    clock.advance(29_999);
    expect(await read()).toMatchObject({ value: 1, ageMs: 29_999, stale: false });
    clock.advance(1);
    expect(await read()).toMatchObject({ value: 2, ageMs: 0, stale: false });
    expect(source.loads).toBe(2);
  });

  it("gives the last value as stale, with age and reason, while the source is away", async () => {
    const { clock, source, read } = open();
    await read();
    source.error = new AppError("provider_unavailable", "yahoo: answered 503");
    clock.advance(120_000);
    expect(await read()).toEqual({
      value: 1,
      readAtMs: NOW,
      ageMs: 120_000,
      stale: true,
      trouble: "yahoo: answered 503",
    });
    source.error = null;
    source.value = 3;
    expect(await read()).toMatchObject({ value: 3, stale: false, trouble: null });
  });

  it("hides no error but that of a source that is away, and none where nothing was read", async () => {
    const { clock, source, read } = open();
    source.error = new AppError("provider_unavailable", "down");
    await expect(read()).rejects.toMatchObject({ code: "provider_unavailable" });
    source.error = null;
    await read();
    clock.advance(30_000);
    source.error = new AppError("symbol_unknown", "gone");
    await expect(read()).rejects.toMatchObject({ code: "symbol_unknown" });
  });

  it("shares one load among those that ask at the same time", async () => {
    const { source, read } = open();
    await Promise.all([read(), read(), read()]);
    expect(source.loads).toBe(1);
  });

  it("does not take a value of the future for fresh", async () => {
    const { clock, source, read } = open();
    await read();
    clock.set(NOW - 3_600_000);
    await read();
    expect(source.loads).toBe(2);
  });
});

describe("a deadline", () => {
  it("holds for everything that is asked within, and the nearest counts", async () => {
    expect(timeLeftMs()).toBe(Number.POSITIVE_INFINITY);
    const left = await within(1_000, async () => {
      await Promise.resolve();
      return [timeLeftMs(), within(5_000, timeLeftMs), within(10, timeLeftMs)];
    });
    expect(left[0]).toBeGreaterThan(900);
    expect(left[1]).toBeLessThanOrEqual(1_000);
    expect(left[2]).toBeLessThanOrEqual(10);
  });

  it("ends the wait for work that others began", async () => {
    const never = new Promise<number>(() => undefined);
    const late = () => new Error("too late");
    await expect(within(10, () => inTime(never, late))).rejects.toThrow("too late");
    expect(await within(1_000, () => inTime(Promise.resolve(1), late))).toBe(1);
  });
});

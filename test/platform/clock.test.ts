import { describe, expect, it } from "vitest";
import { parseInstant, sleep, systemClock } from "../../src/platform/clock.js";
import { timed } from "../fixtures/faults.js";

describe("sleep", () => {
  it("lasts as long as asked", async () => {
    const { ms } = await timed(() => sleep(40));
    expect(ms).toBeGreaterThan(35);
    expect(ms).toBeLessThan(500);
  });

  it("ends at once, without an error, when its signal aborts before or during it", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 20);
    expect((await timed(() => sleep(60_000, stop.signal))).ms).toBeLessThan(1_000);
    expect((await timed(() => sleep(60_000, stop.signal))).ms).toBeLessThan(100);
  });

  it("does not end at once when it is longer than a timer can be", async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => void warnings.push(warning.name);
    process.on("warning", note);
    for (const ms of [2 ** 31, 40 * 86_400_000, Number.POSITIVE_INFINITY]) {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 30);
      expect((await timed(() => sleep(ms, stop.signal))).ms).toBeGreaterThan(25);
    }
    await sleep(1);
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });
});

describe("systemClock", () => {
  it("tells the wall time, and a time that never goes back", () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(50);
    const readings = Array.from({ length: 1_000 }, () => systemClock.elapsed());
    expect(readings.every((reading, i) => i === 0 || reading >= (readings[i - 1] ?? 0))).toBe(true);
  });
});

describe("parseInstant", () => {
  it.each([
    ["2024-02-29", Date.UTC(2024, 1, 29)],
    ["2024-02-29Z", Date.UTC(2024, 1, 29)],
    ["2024-01-02T03:04", Date.UTC(2024, 0, 2, 3, 4)],
    ["2024-01-02T03:04:05", Date.UTC(2024, 0, 2, 3, 4, 5)],
    ["2024-01-02T03:04:05.678Z", Date.UTC(2024, 0, 2, 3, 4, 5, 678)],
    ["2024-01-02T03:04:05.678901234Z", Date.UTC(2024, 0, 2, 3, 4, 5, 678)],
    ["2024-01-02T03:04:05+05:30", Date.UTC(2024, 0, 1, 21, 34, 5)],
    ["2024-01-02T24:00Z", Date.UTC(2024, 0, 3)],
  ])("reads %s", (text, ms) => {
    expect(parseInstant(text)).toBe(ms);
  });

  it.each([
    "",
    "1",
    "now",
    "2024",
    "2024-13-01",
    "2024-02-30",
    "2023-02-29",
    "2024-01-02T25:00Z",
    "2024-01-02T10:60Z",
    "2024-01-02 10:00",
    "2024-01-02+05:30",
    "2024-01-02T10:00+25:00",
    "2024-01-02T10:00:00.Z",
    "2024-01-02T10:00Z\n",
    "2024-01-02 (a comment)",
    "+012024-01-02",
    "Jan 2 2024",
  ])("refuses %j", (text) => {
    expect(parseInstant(text)).toBeNull();
  });
});

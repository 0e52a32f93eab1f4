import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Alert } from "../../src/features/alerts/store.js";
import type { StoredDetection } from "../../src/features/detections/store.js";
import { markColumns, marksOf, timescaleMarks } from "../../src/protocols/udf/marks.js";
import { FILES_END_MS } from "../fixtures/candle-files.js";
import { createManualClock } from "../fixtures/clock.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";
import { createUdfClient } from "../fixtures/udf-client.js";

const clock = createManualClock(FILES_END_MS);
const DAY_S = 86_400;
const END_S = FILES_END_MS / 1_000;

let program: TestProgram;
const client = createUdfClient(async (path) => (await program.call(path)).body, clock.now);
beforeAll(async () => {
  program = await startScannedProgram({ clock });
}, 120_000);
afterAll(() => program.close());

const RESOLUTIONS = { "5m": "5", "15m": "15", "1h": "60", "1d": "1D" } as const;

/** Detections and alerts of a symbol as /api tells them, each with the id of its mark. */
async function known(symbol: string): Promise<(Omit<Listed, "id"> & { readonly id: string })[]> {
  const logs: Listed[] = [];
  for (const interval of Object.keys(RESOLUTIONS)) {
    const url = `/api/detection_logs?symbol=${symbol}&interval=${interval}&limit=1000`;
    const { data } = (await program.call(url)).json<{
      data: { logs: Listed[]; pagination: { total: number } };
    }>();
    expect(data.logs.length).toBe(data.pagination.total);
    logs.push(...data.logs);
  }
  const alerts = (await program.call(`/api/alerts?symbol=${symbol}&limit=500`)).json<{ data: Listed[] }>()
    .data;
  const alerted = new Set(alerts.map(({ detection_id }) => detection_id));
  return [
    ...alerts.map((alert) => ({ ...alert, id: `alert-${alert.id}` })),
    ...logs.filter(({ id }) => !alerted.has(id)).map((row) => ({ ...row, id: `detection-${row.id}` })),
  ];
}

/** The time of a mark on a bar, in seconds. */
function stampOf(resolution: string, barTime: string): number {
  const open = Date.parse(barTime) / 1_000;
  return resolution === "1D" ? Math.floor(open / DAY_S) * DAY_S : open;
}

function grouped<T, K>(all: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}

interface Listed {
  readonly id: number;
  readonly detection_id?: number;
  readonly symbol: string;
  readonly interval: keyof typeof RESOLUTIONS;
  readonly bar_time: string;
}

describe("GET /udf/marks", () => {
  it("200 has each detection and alert on its bar, in the resolution asked for and in no other", async () => {
    let alerts = 0;
    let most = 0;
    for (const symbol of ["AAPL", "BTC-USD", "ETH-USD", "SOL-USD"]) {
      const all = await known(symbol);
      alerts += all.filter(({ id }) => id.startsWith("alert")).length;
      for (const [interval, resolution] of Object.entries(RESOLUTIONS)) {
        const own = all.filter((one) => one.interval === interval);
        const marks = await client.marks(symbol, resolution, 0, END_S);
        const ids = new Set(own.map(({ id }) => id));
        expect(marks.filter(({ id }) => !ids.has(id))).toEqual([]);
        const shown = grouped(marks, ({ time }) => time);
        const there = grouped(own, ({ bar_time }) => bar_time);
        expect(shown.size, `${symbol} ${interval}`).toBe(there.size);
        for (const [time, ofBar] of there) {
          most = Math.max(most, ofBar.length);
          expect(shown.get(stampOf(resolution, time))?.length, time).toBe(Math.min(10, ofBar.length));
        }
        if (marks.length === 0) continue;
        const { bars } = await client.history(symbol, resolution, { from: 0, to: END_S, countback: 5_000 });
        const times = new Set(bars.map(({ time }) => time / 1_000));
        expect(marks.filter(({ time }) => !times.has(time))).toEqual([]);
        for (const { id, time, text } of marks) {
          const one = own.find((each) => each.id === id);
          expect(time, id).toBe(stampOf(resolution, one?.bar_time ?? ""));
          expect(text).toMatch(
            /(bullish|bearish|neutral), .*confidence (insufficient|\d+ % measured), source files(; \d+ more on this bar)?$/,
          );
        }
      }
    }
    expect(alerts).toBeGreaterThan(3);
    expect(most).toBeGreaterThan(10);
  });

  it("200 from the first bar to the last, both of them within", async () => {
    const all = await client.marks("BTC-USD", "5", 0, END_S);
    const times = [...new Set(all.map(({ time }) => time))];
    expect(times.length).toBeGreaterThan(3);
    for (const [from, to] of [
      [times[1], times[2]],
      [times[1] + 1, times[3] - 1],
      [times[2], times[2]],
      [times[1] + 1, times[2] - 1],
    ]) {
      const found = await client.marks("CRYPTO:BTC-USD", "5", from, to);
      expect(found).toEqual(all.filter(({ time }) => time >= from && time <= to));
    }
    const days = await client.marks("AAPL", "D", 0, END_S);
    for (const { time } of days)
      expect(await client.marks("AAPL", "1D", time, time)).toEqual(days.filter((mark) => mark.time === time));
  });

  it("200 has none of a replay of the same symbol", async () => {
    const before = await client.marks("BTC-USD", "5", 0, END_S);
    const { database } = program.parts;
    const [{ id }] = await database.query<{ id: number }>(
      `insert into instruments (symbol, synthetic, replay, name, asset_class, exchange, currency, calendar)
       select symbol, synthetic, 'again', name, asset_class, exchange, currency, calendar from instruments
       where symbol = $1 returning id`,
      ["BTC-USD"],
    );
    const copied = await database.query(
      `insert into detections (instrument_id, interval, pattern, direction, start_time, bar_time, closed_at, quality,
         state, price, volume, source, facts)
       select $1, d.interval, pattern, direction, start_time, bar_time, closed_at, quality, state, price, volume, source,
         facts from detections d join instruments i on i.id = d.instrument_id where i.symbol = $2 and d.interval = '5m' limit 5
       returning id`,
      [id, "BTC-USD"],
    );
    expect(copied.length).toBe(5);
    expect(await client.marks("BTC-USD", "5", 0, END_S)).toEqual(before);
    await database.query("delete from instruments where id = $1", [id]);
  });

  it("200 has none for months, which nothing is looked for on, and none where nothing was seen", async () => {
    expect(await client.marks("AAPL", "1M", 0, END_S)).toEqual([]);
    expect(await client.marks("BTC-USD", "240", 0, END_S)).toEqual([]);
  });
});

describe("GET /udf/timescale_marks", () => {
  it("200 has one mark a bar, which tells all those on the bar", async () => {
    for (const symbol of ["BTC-USD", "ETH-USD"]) {
      const marks = await client.marks(symbol, "5", 0, END_S);
      const scale = await client.timescaleMarks(symbol, "5", 0, END_S);
      expect(scale.map(({ time }) => time)).toEqual([...new Set(marks.map(({ time }) => time))]);
      expect(scale.flatMap(({ tooltip }) => tooltip)).toEqual(marks.map(({ text }) => text));
      for (const { time, label } of scale) {
        const hasAlert = marks.some((mark) => mark.time === time && mark.id.startsWith("alert"));
        expect(label === "A").toBe(hasAlert);
      }
    }
  });
});

describe("marks of one bar", () => {
  const base = {
    symbol: "X",
    interval: "1d",
    pattern: "doji",
    direction: 1,
    barTime: 1_000_000,
    source: "synthetic",
    synthetic: true,
    confidence: null,
  } as const;
  const detection = (id: number, quality: number, more: object = {}) =>
    ({ ...base, id, quality, state: "confirmed", ...more }) as unknown as StoredDetection;
  const alert = (id: number, detectionId: number, more: object = {}) =>
    ({ ...base, id, detectionId, score: 0.5, scoreBasis: "quality", ...more }) as unknown as Alert;
  const stamp = (ms: number) => ms / 1_000;

  it("are ten at most, alerts before the others and those before the less good, and say how many are left", () => {
    const seen = Array.from({ length: 14 }, (_, i) => detection(i, i / 20));
    const marks = marksOf(seen, [alert(1, 0), alert(2, 3)], stamp);
    expect(marks.map(({ id }) => id)).toEqual([
      "alert-1",
      "alert-2",
      ...[13, 12, 11, 10, 9, 8, 7, 6].map((id) => `detection-${id}`),
    ]);
    expect(marks.map(({ text }) => / more on this bar/.test(text)).indexOf(true)).toBe(9);
    expect(marks[9].text).toMatch(/; 4 more on this bar$/);
    expect(marksOf(seen.slice(0, 10), [], stamp).some(({ text }) => text.includes("more on"))).toBe(false);
    expect(timescaleMarks(marks)).toMatchObject([{ id: "bar-1000", label: "A", color: "green" }]);
  });

  it("say what was measured, or that it is insufficient, and that a source is synthetic", () => {
    const [first, second] = marksOf(
      [
        detection(1, 0.5, { confidence: 0.617, direction: -1 }),
        detection(2, 0.25, { direction: 0, state: "forming" }),
      ],
      [],
      stamp,
    );
    expect(first.text).toBe(
      "Doji 1d: bearish, confirmed, quality 0.50, confidence 62 % measured, source synthetic (synthetic)",
    );
    expect(second.text).toBe(
      "Doji 1d: neutral, forming, quality 0.25, confidence insufficient, source synthetic (synthetic)",
    );
    expect(markColumns([first, second])).toMatchObject({
      color: ["red", "blue"],
      label: ["D", "D"],
      time: [1_000, 1_000],
    });
    expect(timescaleMarks([first, second])).toMatchObject([{ label: "2", color: "blue" }]);
  });
});

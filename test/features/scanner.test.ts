import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import type { Interval } from "../../src/core/market/interval.js";
import { RECENT_BARS, type Rule } from "../../src/features/alerts/rules.js";
import { scanSymbol } from "../../src/features/scanner/scan.js";
import type { ScanCounts } from "../../src/features/scanner/store.js";
import type { Database } from "../../src/platform/database.js";
import { LeaseLostError } from "../../src/platform/lease.js";
import type { ManualClock } from "../fixtures/clock.js";
import { createRecordedLog } from "../fixtures/log.js";
import { createScriptedProvider, type ScriptedProvider } from "../fixtures/providers.js";
import {
  readScanState,
  type ScanState,
  type TestScanner,
  type TestScannerOptions,
  useScanners,
} from "../fixtures/scanner.js";
import { sized } from "../fixtures/sizes.js";

const MINUTE = 60_000;
const START = Date.parse("2024-07-09T12:00Z");

let database: Database;
let clock: ManualClock;
let provider: ScriptedProvider;
/** What models are shown of a bar is computed once. */
const shown: NonNullable<TestScannerOptions["shown"]> = new Map();
const open = useScanners(START, (setup) => {
  ({ database, clock, provider } = setup);
});

/** What the newest scan did. */
async function newest({ parts }: TestScanner): Promise<ScanCounts & { status: string; attempts: number }> {
  const { symbols, failures, bars, detections, alerts, status, attempts } = ensure(
    await parts.store.loadNewest(),
    "a scan",
  );
  return { symbols, failures, bars, detections, alerts, status, attempts };
}

async function cursorOf({ parts }: TestScanner, symbol: string, interval: Interval): Promise<number | null> {
  const { id } = await parts.instruments.resolve(symbol);
  return (await parts.store.loadCursors(id)).get(interval) ?? null;
}

const barsSeen = (state: ScanState) => [...new Set(state.detections.map((row) => row.split(" ")[3]))];
/** Only what is confirmed is decided on. */
const confirmed = (state: ScanState) => state.detections.filter((row) => row.split(" ")[5] === "confirmed");
const rulesOf = (state: ScanState) => [...new Set(state.decisions.map((row) => row.split(" ")[5] ?? "none"))];

describe("the first scan", () => {
  it("looks at the last 200 bars, and alerts on the newest alone", async () => {
    const first = open({ threshold: 0 });
    await first.scan();
    expect(await newest(first)).toMatchObject({ symbols: 1, failures: 0, bars: 200, status: "finished" });
    const state = await readScanState(database);
    const oldest = (START - 200 * 5 * MINUTE) / 1_000;
    const seen = barsSeen(state).map(Number);
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(oldest);
    expect(Math.max(...seen)).toBeLessThanOrEqual(START / 1_000 - 300);
    expect(seen.length).toBeGreaterThan(100);
    expect(state.decisions).toHaveLength(confirmed(state).length);
    const newestBar = START - 5 * MINUTE;
    for (const decision of await first.parts.alerts.decisions({}, 5_000)) {
      if (decision.barTime === newestBar) expect(decision.rule).not.toBe("bar_is_new");
      else expect(decision.rule).toBe("bar_is_new");
    }
    expect(state.alerts.every((row) => row.includes(` ${newestBar / 1_000}.`))).toBe(true);
  });

  it("of a symbol that is younger looks at all it has", async () => {
    provider = createScriptedProvider({ now: clock.now, earliestMs: START - 30 * 5 * MINUTE });
    const first = open({ provider });
    await first.scan();
    expect((await newest(first)).bars).toBe(30);
  });

  it("is made of each interval and symbol that is added later", async () => {
    await open().scan();
    clock.advance(5 * MINUTE);
    const wider = open({ symbols: ["BTC-USD", "ETH-USD"], intervals: ["5m", "15m"] });
    await wider.scan();
    // One new bar, and three first scans.
    expect((await newest(wider)).bars).toBe(1 + 3 * 200);
  });
});

describe("each bar", () => {
  it("is looked at once, when it has closed", async () => {
    const scanner = open({ everyS: 60 });
    await scanner.scan();
    const bars: number[] = [];
    for (let minute = 1; minute <= 15; minute++) {
      clock.set(START + minute * MINUTE);
      await scanner.scan();
      bars.push((await newest(scanner)).bars);
    }
    expect(bars).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    expect(await cursorOf(scanner, "BTC-USD", "5m")).toBe(START + 10 * MINUTE);
  });

  it("is looked at once in a slot, however often and by whomever the slot is run", async () => {
    const scanner = open();
    await scanner.scan();
    clock.advance(MINUTE);
    await scanner.scan();
    await open({ owner: "first" }).scan();
    expect(await database.query("select 1 from scans")).toHaveLength(1);
    expect((await newest(scanner)).attempts).toBe(1);
  });

  it("that its source gives late is looked at when it is there", async () => {
    const scanner = open();
    await scanner.scan();
    provider.lag(10 * MINUTE);
    clock.advance(5 * MINUTE);
    await scanner.scan();
    expect((await newest(scanner)).bars).toBe(0);
    expect(await cursorOf(scanner, "BTC-USD", "5m")).toBe(START - 5 * MINUTE);
    provider.lag(0);
    clock.advance(5 * MINUTE);
    await scanner.scan();
    expect((await newest(scanner)).bars).toBe(2);
  });

  it("is known by its cursor, which never goes back", async () => {
    const { parts } = open();
    const { id } = await parts.instruments.resolve("BTC-USD");
    const save = (time: number) =>
      database.transaction((sql) => parts.store.saveCursors(sql, id, new Map([["5m", time]])));
    await Promise.all([3, 9, 1, 5].map((n) => save(START + n * 5 * MINUTE)));
    expect([...(await parts.store.loadCursors(id))]).toEqual([["5m", START + 45 * MINUTE]]);
    await save(START);
    expect([...(await parts.store.loadCursors(id))]).toEqual([["5m", START + 45 * MINUTE]]);
    await save(START + 50 * MINUTE);
    expect([...(await parts.store.loadCursors(id))]).toEqual([["5m", START + 50 * MINUTE]]);
  });

  it("of a symbol whose source is down waits, and the others go on", async () => {
    const recorded = createRecordedLog();
    const scanner = open({ symbols: ["BTC-USD", "ETH-USD"], log: recorded.log });
    await scanner.scan();
    provider.fail("unavailable", ["BTC-USD"]);
    clock.advance(10 * MINUTE);
    await scanner.scan();
    const after = [await cursorOf(scanner, "BTC-USD", "5m"), await cursorOf(scanner, "ETH-USD", "5m")];
    // What is stored of BTC-USD stands in, so that there is nothing new to look at.
    expect(after).toEqual([START - 5 * MINUTE, START + 5 * MINUTE]);
    provider.fail(null);
    clock.advance(5 * MINUTE);
    await scanner.scan();
    expect((await newest(scanner)).bars).toBe(3 + 1);
  });

  it("of a symbol with nothing stored and a source that is down is a failure that is counted", async () => {
    const recorded = createRecordedLog();
    provider.fail("unavailable", ["ETH-USD"]);
    const scanner = open({ symbols: ["ETH-USD", "BTC-USD"], log: recorded.log });
    await scanner.scan();
    expect(await newest(scanner)).toMatchObject({ symbols: 2, failures: 1, bars: 200, status: "finished" });
    expect(recorded.lines().join()).toContain('"symbol":"ETH-USD","code":"provider_unavailable"');
  });
});

describe("a source that ended long ago", () => {
  it("raises no alert on its newest bar, and the log says why, but where a replay has come to it", async () => {
    clock.set(START + 400 * 24 * 60 * MINUTE);
    const ended = { ...provider, feedNowMs: async () => START };
    const scanner = open({ provider: ended, threshold: 0 });
    await scanner.scan();
    expect(await newest(scanner)).toMatchObject({ bars: 200, alerts: 0, status: "finished" });
    const newestBar = START - 5 * MINUTE;
    const decisions = await scanner.parts.alerts.decisions({}, 5_000);
    const ofNewest = decisions.filter(({ barTime }) => barTime === newestBar);
    expect(ofNewest.length).toBeGreaterThan(0);
    for (const { rule, verdicts } of ofNewest) {
      expect(rule).toBe("source_is_current" satisfies Rule);
      expect(verdicts.find((verdict) => verdict.rule === rule)).toMatchObject({
        value: new Date(START).toISOString(),
        limit: new Date(clock.now() - 30 * MINUTE).toISOString(),
      });
    }
    clock.advance(5 * MINUTE);
    const replayed = { ...ended, replay: "60x", replayedMs: () => START };
    const replaying = open({ provider: replayed, threshold: 0 });
    await replaying.scan();
    expect((await newest(replaying)).alerts).toBeGreaterThan(0);
  });
});

describe("after a pause", () => {
  const intervals = ["5m", "15m"] as const;
  const symbols = ["BTC-USD", "ETH-USD"];
  const MANY = sized({ usual: 20, full: 30 });

  /** Scans at the start and then after each given number of bars of five minutes. */
  async function run(steps: readonly number[]): Promise<ScanState> {
    await database.query("truncate instruments, events, scans, leases, settings restart identity cascade");
    clock.set(START);
    const scanner = open({ intervals, symbols, dedupeMinutes: 30, shown });
    await scanner.scan();
    for (const bars of steps) {
      clock.advance(bars * 5 * MINUTE);
      await scanner.scan();
    }
    return readScanState(database);
  }

  it("leaves what an undisturbed run leaves, alerts and their order among it", async () => {
    const undisturbed = await run(Array<number>(RECENT_BARS).fill(1));
    expect(undisturbed.alerts.length).toBeGreaterThanOrEqual(6);
    expect(rulesOf(undisturbed)).toContain("dedupe_window");
    for (const steps of [[RECENT_BARS], [5, 7], [1, 10, 1], [3, 3, 3, 3]]) {
      const caught = await run(steps);
      for (const name of ["detections", "decisions", "alerts", "guards", "cursors"] as const) {
        expect(caught[name], `${name} after ${steps.join(", ")} bars`).toEqual(undisturbed[name]);
      }
      expect([...caught.events].sort()).toEqual([...undisturbed.events].sort());
    }
  });

  it("of more bars than are recent reports what it sees, and says why it does not alert", async () => {
    const undisturbed = await run(Array<number>(MANY).fill(1));
    const caught = await run([MANY]);
    expect(caught.detections).toEqual(undisturbed.detections);
    expect(caught.cursors).toEqual(undisturbed.cursors);
    expect(caught.alerts.length).toBeLessThan(undisturbed.alerts.length);
    const old = caught.decisions.filter((row) => row.endsWith("bar_is_recent" satisfies Rule));
    expect(old.length).toBeGreaterThan(0);
    for (const row of old) {
      const [, interval, , time] = row.split(" ");
      const length = interval === "5m" ? 5 * MINUTE : 15 * MINUTE;
      expect(Number(time) * 1_000 + (RECENT_BARS + 1) * length).toBeLessThan(clock.now());
    }
  });

  it("of weeks passes over what is older than 2,000 bars", async () => {
    const scanner = open();
    await scanner.scan();
    clock.advance(3_000 * 5 * MINUTE);
    await scanner.scan();
    expect((await newest(scanner)).bars).toBe(2_000);
    expect(await cursorOf(scanner, "BTC-USD", "5m")).toBe(clock.now() - 5 * MINUTE);
  });
});

describe("a detection", () => {
  it("has levels and ranges that do not depend on how many bars were loaded with it", async () => {
    const ranges = async (pause: number) => {
      await database.query("truncate instruments, events, scans, leases, settings restart identity cascade");
      clock.set(START - pause * 5 * MINUTE);
      const scanner = open();
      await scanner.scan();
      clock.set(START);
      await scanner.scan();
      const rows = await readScanState(database);
      const from = (START - 60 * MINUTE) / 1_000;
      return rows.detections.filter((row) => Number(row.split(" ")[3]) >= from);
    };
    const expected = await ranges(1);
    expect(expected.length).toBeGreaterThan(3);
    for (const pause of [7, 100, 1_000]) expect(await ranges(pause)).toEqual(expected);
  });
});

describe("two instances", () => {
  it("run a slot once: the one that holds the lease", async () => {
    const [first, second] = [open({ owner: "first" }), open({ owner: "second" })];
    await Promise.all([first.scan(), second.scan()]);
    clock.advance(5 * MINUTE);
    await Promise.all([second.scan(), first.scan()]);
    expect(await database.query("select 1 from scans")).toHaveLength(2);
    const leaders = await Promise.all(
      [first, second].map(async ({ scanner }) => (await scanner.status()).leader),
    );
    expect(leaders.filter(Boolean)).toHaveLength(1);
  });

  it("that look at the same bars at the same time under one lease store each row once", async () => {
    const options = { symbols: ["BTC-USD"], intervals: ["5m", "15m"] as const, dedupeMinutes: 0 };
    const [first, second] = [open(options), open(options)];
    await first.scan();
    const before = (await readScanState(database)).alerts.length;
    clock.advance(30 * MINUTE);
    const lease = ensure(await first.parts.leases.acquire("scanner", 15_000), "the lease");
    const signal = new AbortController().signal;
    const counts = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        scanSymbol([first, second][i % 2].parts, "BTC-USD", lease, true, signal),
      ),
    );
    const state = await readScanState(database);
    const sum = (key: keyof ScanCounts) => counts.reduce((total, each) => total + each[key], 0);
    expect(sum("alerts")).toBe(state.alerts.length - before);
    expect(sum("alerts")).toBeGreaterThan(0);
    expect(state.events).toHaveLength(state.alerts.length);
    expect(new Set(state.events).size).toBe(state.events.length);
    expect(new Set(state.detections).size).toBe(state.detections.length);
    expect(state.decisions).toHaveLength(confirmed(state).length);
  });

  it("of which one was overtaken while it computed writes nothing any more", async () => {
    const [slow, quick] = [open({ owner: "slow" }), open({ owner: "quick" })];
    await slow.scan();
    clock.advance(10 * MINUTE);
    let overtaken = false;
    provider.before(async () => {
      if (overtaken) return;
      overtaken = true;
      await database.query("update leases set expires_at = '-infinity'");
      await quick.scan();
    });
    await expect(slow.scan()).rejects.toThrow(LeaseLostError);
    const state = await readScanState(database);
    const scans = await database.query<{ owner: string; status: string; attempts: number }>(
      "select owner, status::text, attempts from scans order by slot",
    );
    expect(scans).toEqual([
      { owner: "slow", status: "finished", attempts: 1 },
      { owner: "quick", status: "finished", attempts: 2 },
    ]);
    expect(new Set(state.detections).size).toBe(state.detections.length);
    clock.advance(5 * MINUTE);
    await slow.scan();
    expect(await database.query("select 1 from scans")).toHaveLength(2);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Bar } from "../../src/core/market/candles.js";
import { createEvidence, type EvidenceOptions } from "../../src/features/evidence/evidence.js";
import { createEvidenceStore } from "../../src/features/evidence/store.js";
import { createStoredReader } from "../../src/features/evidence/stored.js";
import type { Database } from "../../src/platform/database.js";
import type { JobState } from "../../src/platform/jobs.js";
import { createLeases } from "../../src/platform/lease.js";
import { createSettings } from "../../src/platform/settings.js";
import type { Workers } from "../../src/platform/workers.js";
import { createManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { silentLog } from "../fixtures/log.js";
import { createTestMarket } from "../fixtures/market.js";
import { createScriptedProvider } from "../fixtures/providers.js";
import { sized } from "../fixtures/sizes.js";
import { createTestWorkers } from "../fixtures/workers.js";

const NOW = Date.parse("2024-06-03T12:00:00Z");
const HOUR = 3_600_000;
/** As many bars as are measured, and a few more. */
const FROM = sized({ usual: "2024-03-01", full: "2023-06-01" });

let testDatabase: TestDatabase;
let database: Database;
let workers: Workers;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await openTestDatabase(testDatabase);
  workers = createTestWorkers();
});
beforeEach(() => database.query("truncate instruments, evidence_runs, settings cascade"));
afterAll(async () => {
  await workers.close();
  await database.close();
  await testDatabase.drop();
});

function feature(change: Partial<EvidenceOptions> = {}) {
  const clock = createManualClock(NOW);
  const { now } = clock;
  const provider = createScriptedProvider({ now, earliestMs: Date.parse("2020-01-01") });
  const parts = createTestMarket({ database, providers: [provider], now });
  const market = { synthetic: provider.synthetic, replay: null };
  const ordered: JobState[] = [];
  const evidence = createEvidence({
    store: createEvidenceStore(database, market),
    read: createStoredReader({ ...parts, candleStore: parts.store, now }),
    workers,
    leases: createLeases(database, "test"),
    settings: createSettings(database),
    market,
    now,
    log: silentLog,
    maxAgeMs: 24 * HOUR,
    jobs: () => ({
      list: async () => [],
      async enqueue() {
        const job = { id: ordered.length + 1, status: "queued" } as JobState;
        ordered.push(job);
        return job;
      },
    }),
    ...change,
  });
  const context = (signal = new AbortController().signal, reports: string[] = []) => ({
    job: { id: 1, userId: "ann" },
    signal,
    nowMs: now(),
    report: (phase: string, done: number, total: number) => void reports.push(`${phase} ${done}/${total}`),
    checkpoint: { last: null, save: async () => undefined },
  });
  return { clock, provider, evidence, ordered, context, ...parts };
}

/** Stores bars of a symbol. */
async function fill({ instruments, candles }: ReturnType<typeof feature>, symbol: string, from: string) {
  const instrument = await instruments.resolve(symbol);
  await candles.ensureStored(instrument, "1h", Date.parse(from), NOW);
  return instrument;
}

const tick = ({ evidence }: ReturnType<typeof feature>) =>
  evidence.loop.run(NOW, new AbortController().signal);

describe("evidence", () => {
  it("is asked for once there are enough bars, and again when it is too old", async () => {
    const made = feature();
    await tick(made);
    expect(made.ordered).toHaveLength(0);
    await fill(made, "AAPL", "2024-05-01");
    await tick(made);
    expect(made.ordered).toHaveLength(0);
    await fill(made, "AAPL", FROM);
    await tick(made);
    expect(made.ordered).toHaveLength(1);
    await made.evidence.kind.run({}, made.context());
    await tick(made);
    expect(made.ordered).toHaveLength(1);
    made.clock.advance(24 * HOUR);
    await tick(made);
    expect(made.ordered).toHaveLength(2);
  });

  it("is not asked for by itself where it is switched off", async () => {
    const made = feature({ maxAgeMs: null });
    await fill(made, "AAPL", FROM);
    await tick(made);
    expect(made.ordered).toHaveLength(0);
  });

  it("orders nothing while a run waits or runs", async () => {
    const job = { id: 7, status: "running" } as JobState;
    const enqueue = () => {
      throw new Error("nothing is to be ordered");
    };
    const made = feature({ jobs: () => ({ list: async () => [job], enqueue }) });
    expect(await made.evidence.recompute({ userId: "ann", role: "trader", anonymous: false })).toBe(job);
  });

  it("asks no source for candles, reports each series, and ends when it is told to", async () => {
    const made = feature();
    await fill(made, "AAPL", FROM);
    await fill(made, "BTC", "2024-05-01");
    const asked = made.provider.calls.length;
    const reports: string[] = [];
    const result = await made.evidence.kind.run({}, made.context(undefined, reports));
    expect(made.provider.calls).toHaveLength(asked);
    expect(reports).toEqual(["AAPL 1h 0/3", "BTC-USD 1h 1/3", "table 2/3"]);
    expect(made.evidence.kind.result.parse(result)).toMatchObject({ series: 2 });
    const stopped = AbortSignal.abort(new Error("stopped"));
    await expect(made.evidence.kind.run({}, made.context(stopped))).rejects.toThrow("stopped");
    // Whatever ends a run lets the next one begin.
    await made.evidence.kind.run({}, made.context());
  });

  it("runs once at a time, in all processes", async () => {
    const made = feature();
    await fill(made, "AAPL", FROM);
    const first = made.evidence.kind.run({}, made.context());
    await expect(made.evidence.kind.run({}, made.context())).rejects.toMatchObject({ code: "overloaded" });
    await first;
    const other = createLeases(database, "another process");
    await other.acquire("evidence", 60_000);
    await expect(made.evidence.kind.run({}, made.context())).rejects.toMatchObject({ code: "overloaded" });
    await other.release("evidence");
    await made.evidence.kind.run({}, made.context());
  });

  it("keeps the newest five runs, and those of the synthetic market apart", async () => {
    const made = feature();
    await fill(made, "AAPL", FROM);
    for (let run = 0; run < 6; run++) await made.evidence.kind.run({}, made.context());
    const [{ runs }] = await database.query<{ runs: number }>("select count(*) as runs from evidence_runs");
    expect(runs).toBe(5);
    const synthetic = createEvidenceStore(database, { synthetic: true, replay: null });
    expect(await synthetic.newestRun()).toBeNull();
    expect(await synthetic.loadSeries()).toEqual([]);
    const replay = createEvidenceStore(database, { synthetic: false, replay: "1x" });
    expect(await replay.newestRun()).toBeNull();
  });

  it("keeps what each run knew of edges, with when it ended, also of runs that are gone", async () => {
    const made = feature();
    await database.query("truncate evidence_edges");
    await fill(made, "AAPL", "2023-06-01");
    for (let run = 0; run < 6; run++) {
      await made.evidence.kind.run({}, made.context());
      made.clock.advance(HOUR);
    }
    type Kept = { knownAt: number; edges: Record<string, number> };
    const kept = await database.query<Kept>(
      `select (extract(epoch from known_at) * 1000)::float8 as "knownAt", edges from evidence_edges order by id`,
    );
    expect(kept.map(({ knownAt }) => knownAt)).toEqual([0, 1, 2, 3, 4, 5].map((hours) => NOW + hours * HOUR));
    const { rows } = await made.evidence.list({});
    const measured = rows.filter(
      ({ regime, costs, edge }) => regime === "any" && costs === "any" && edge !== null,
    );
    expect(measured.length).toBeGreaterThan(3);
    expect(kept[5].edges).toEqual(Object.fromEntries(measured.map(({ variant, edge }) => [variant, edge])));
  });

  it("counts live detections that the stored bars no longer show", async () => {
    const made = feature();
    const { id } = await fill(made, "AAPL", "2023-06-01");
    await database.query("insert into settings (name, value) values ('evidence.live_since.real', '0')");
    await database.query(
      `insert into detections (instrument_id, interval, pattern, direction, start_time, bar_time, closed_at, quality,
         price, volume, source, facts, detected_at)
       values ($1, '1h', 'mat_hold', 1, '2024-02-01', '2024-02-01T14:31Z', '2024-02-01T15:30Z', 1, 1, 1, 'x', '{}',
         '2024-02-01T15:31Z')`,
      [id],
    );
    await made.evidence.kind.run({}, made.context());
    expect((await made.evidence.list({})).run?.liveMissing).toBe(1);
  });

  it("is read from splits-adjusted bars", async () => {
    const made = feature();
    const splitMs = Date.parse("2024-01-16");
    const times = (bar: Bar, by: number): Bar => {
      const { open, high, low, close } = bar;
      return { ...bar, open: by * open, high: by * high, low: by * low, close: by * close };
    };
    made.provider.change((bar) => times(bar, bar.time < splitMs ? 4 : 1));
    const instrument = await fill(made, "AAPL", "2023-06-01");
    const split = {
      kind: "split",
      exDay: splitMs / 86_400_000,
      ratio: 4,
    } as const;
    const actions = {
      load: async () => ({ actions: [split], source: "test", known: true, trouble: null, notes: [] }),
    };
    const read = createStoredReader({
      candleStore: made.store,
      actions: actions as never,
      gateway: made.gateway,
      now: made.clock.now,
    });
    const [series] = await createEvidenceStore(database, { synthetic: false, replay: null }).loadSeries();
    const given = await made.store.load(instrument.id, "AAPL", "1h", series.fromMs, series.untilMs + 1);
    const shown = await read(series, new AbortController().signal);
    const before = given.candles.time.findLastIndex((time) => time < splitMs);
    expect(shown.close[before]).toBeCloseTo(given.candles.close[before] / 4, 10);
    expect(shown.close[before + 1]).toBe(given.candles.close[before + 1]);
    expect(shown.time).toEqual(given.candles.time);
  });
});

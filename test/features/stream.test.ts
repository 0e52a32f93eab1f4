import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createStream, type Stream } from "../../src/features/stream/stream.js";
import { TOPICS } from "../../src/features/stream/topics.js";
import { createBus } from "../../src/platform/bus.js";
import type { Database } from "../../src/platform/database.js";
import { AppError, type ErrorCode } from "../../src/platform/errors.js";
import { createEventLog, type EventLog } from "../../src/platform/event-log.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { createManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { eventually } from "../fixtures/faults.js";
import { silentLog } from "../fixtures/log.js";
import { createTestMarket } from "../fixtures/market.js";
import { createScriptedProvider } from "../fixtures/providers.js";
import { createTestScanner } from "../fixtures/scanner.js";
import { createTestWorkers } from "../fixtures/workers.js";

const MINUTE = 60_000;
const START = Date.parse("2024-07-09T12:00Z");

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await openTestDatabase(testDatabase, { poolSize: 10 });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  await database.query(
    "truncate instruments, events, event_marks, scans, leases, settings restart identity cascade",
  );
});

interface EventFrame {
  readonly type: "event";
  readonly topic: string;
  readonly seq: number | null;
  readonly previous_seq: number | null;
  readonly time: string;
  readonly data: { readonly n: number };
}

/** The stream of one instance, with what it published. */
interface Instance {
  readonly stream: Stream;
  readonly eventLog: EventLog;
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly frames: readonly EventFrame[];
}

const clock = createManualClock(START);
const started: EventLog[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((eventLog) => eventLog.stop()));
});

/** What finds nothing. */
function none(code: ErrorCode) {
  return async (): Promise<never> => {
    throw new AppError(code, "There is none");
  };
}

async function startInstance(): Promise<Instance> {
  const metrics = createMetrics("test");
  const bus = createBus((error) => {
    throw error;
  });
  const eventLog = createEventLog(database, bus, silentLog);
  const provider = createScriptedProvider({ now: clock.now });
  const { instruments, candles, gateway } = createTestMarket({
    database,
    providers: [provider],
    now: clock.now,
  });
  const stream = createStream({
    eventLog,
    bus,
    instruments,
    candles,
    gateway,
    jobs: { get: none("job_not_found") },
    accounts: { find: none("account_not_found") },
    hooks: { get: none("hook_not_found") },
    notifications: { get: none("channel_not_found") },
    readSnapshot: async () => null,
    metrics,
    log: silentLog,
    now: Date.now,
  });
  const frames: EventFrame[] = [];
  stream.onFrame((topic, frame, seq) => {
    const parsed = JSON.parse(frame) as EventFrame;
    expect(parsed).toMatchObject({ type: "event", topic, seq });
    frames.push(parsed);
  });
  await eventLog.start();
  started.push(eventLog);
  return { stream, eventLog, metrics, frames };
}

const publish = (eventLog: EventLog, topic: string, numbers: readonly number[]) =>
  database.transaction((sql) =>
    eventLog.append(
      sql,
      numbers.map((n) => ({ topic, payload: { n } })),
    ),
  );
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const of = (topic: string, { frames }: Instance) => frames.filter((frame) => frame.topic === topic);
const parse = (events: readonly { readonly frame: string }[]) =>
  events.map(({ frame }) => JSON.parse(frame) as EventFrame);

/** Each frame of a topic names the one before it. */
function expectChain(frames: readonly EventFrame[]): void {
  for (const [i, { previous_seq }] of frames.entries()) {
    if (i > 0) expect(previous_seq).toBe(frames[i - 1].seq);
  }
}

describe("what is published", () => {
  it("comes once and in one order to every instance, each event naming the one before it on its topic", async () => {
    const [one, two] = [await startInstance(), await startInstance()];
    const writers = [one, two].flatMap(({ eventLog }, writer) =>
      ["alerts", "scan"].map(async (topic, k) => {
        for (let i = 0; i < 25; i++) {
          await publish(eventLog, topic, [
            1_000 * (2 * writer + k) + 2 * i,
            1_000 * (2 * writer + k) + 2 * i + 1,
          ]);
        }
      }),
    );
    await Promise.all(writers);
    await eventually("200 events by both", () => one.frames.length >= 200 && two.frames.length >= 200);
    expect(one.frames).toEqual(two.frames);
    expect(one.frames).toHaveLength(200);
    const seqs = one.frames.map(({ seq }) => Number(seq));
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
    for (const topic of ["alerts", "scan"]) {
      expect(of(topic, one)).toHaveLength(100);
      expect(of(topic, one)[0].previous_seq).toBe(0);
      expectChain(of(topic, one));
    }
    // Those of a transaction stay together and in order.
    const numbers = of("alerts", one).map(({ data }) => data.n);
    for (let i = 0; i < numbers.length; i += 2) expect(numbers[i + 1]).toBe(numbers[i] + 1);
  });

  it("is not what was rolled back, and a gap in the numbers is not taken for a loss", async () => {
    const one = await startInstance();
    await publish(one.eventLog, "alerts", [1]);
    const failing = database.transaction(async (sql) => {
      await one.eventLog.append(sql, [{ topic: "alerts", payload: { n: 2 } }]);
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await publish(one.eventLog, "alerts", [3]);
    await eventually("two events", () => one.frames.length === 2);
    expect(one.frames.map(({ data }) => data.n)).toEqual([1, 3]);
    expectChain(one.frames);
    expect(Number(one.frames[1].seq)).toBeGreaterThan(Number(one.frames[0].seq) + 1);
  });

  it("before an instance started is not published again, and what follows names it", async () => {
    const one = await startInstance();
    await publish(one.eventLog, "alerts", [1]);
    await publish(one.eventLog, "scan", [2]);
    await eventually("two events", () => one.frames.length === 2);
    const late = await startInstance();
    await publish(one.eventLog, "alerts", [3]);
    await eventually("the third by both", () => one.frames.length === 3 && late.frames.length === 1);
    expect(late.frames).toEqual(one.frames.slice(2));
    expect(late.frames[0].previous_seq).toBe(one.frames[0].seq);
  });

  it("is timed from writing to publishing, for alerts", async () => {
    const one = await startInstance();
    await publish(one.eventLog, "alerts", [1, 2]);
    await publish(one.eventLog, "scan", [3]);
    await eventually("three events", () => one.frames.length === 3);
    const { values } = await one.metrics.alertDelaySeconds.get();
    const value = (name: string) =>
      values.find(({ metricName }) => metricName?.endsWith(name) === true)?.value;
    expect(value("_count")).toBe(2);
    expect(value("_sum")).toBeLessThan(4);
  });
});

describe("a replay", () => {
  it("has what came after a number, as it was published", async () => {
    const one = await startInstance();
    await publish(one.eventLog, "scan", [100]);
    await publish(one.eventLog, "alerts", range(0, 10));
    await publish(one.eventLog, "scan", [101]);
    await eventually("all", () => one.frames.length === 12);
    const alerts = of("alerts", one);
    for (const from of [0, 4, 9]) {
      const since = from === 0 ? 0 : Number(alerts[from - 1].seq);
      const { events, seq, more, forgotten } = await one.stream.replay("alerts", since);
      expect(parse(events)).toEqual(alerts.slice(from));
      expect({ seq, more, forgotten }).toEqual({ seq: alerts[9].seq, more: false, forgotten: false });
    }
    const last = Number(alerts[9].seq);
    expect(await one.stream.replay("alerts", last)).toEqual({
      events: [],
      seq: last,
      more: false,
      forgotten: false,
    });
  });

  it("of more than 1,000 comes in parts that join without a seam", async () => {
    const one = await startInstance();
    await publish(one.eventLog, "alerts", range(0, 2_500));
    const seen: EventFrame[] = [];
    let [since, more, parts] = [0, true, 0];
    while (more) {
      const part = await one.stream.replay("alerts", since);
      expect(part.events.length).toBeLessThanOrEqual(1_000);
      expect(part.forgotten).toBe(false);
      seen.push(...parse(part.events));
      ({ seq: since, more } = part);
      parts++;
    }
    expect(parts).toBe(3);
    expect(seen.map(({ data }) => data.n)).toEqual(range(0, 2_500));
    expect(seen[0].previous_seq).toBe(0);
    expectChain(seen);
  });

  it("of several topics comes in their one order, each event told from the one before on its topic", async () => {
    const one = await startInstance();
    for (const n of range(0, 6)) await publish(one.eventLog, n % 3 === 0 ? "scan" : "alerts", [n]);
    await publish(one.eventLog, "quality", [9]);
    await eventually("all", () => one.frames.length === 7);
    const both = one.frames.filter(({ topic }) => topic !== "quality");
    const replay = await one.stream.replay(["alerts", "scan", "candles:BTC-USD:5m"], 0);
    expect(parse(replay.events)).toEqual(both);
    const since = Number(both[1].seq);
    const rest = await one.stream.replay(["alerts", "scan"], since);
    expect(rest).toMatchObject({ forgotten: false, more: false, seq: both[5].seq });
    // Whatever topic the number is of, each is told from the one before on its own.
    expect(parse(rest.events)).toEqual(both.slice(2));
  });

  it("of exactly 1,000 has no more", async () => {
    const one = await startInstance();
    await publish(one.eventLog, "alerts", range(0, 1_000));
    expect(await one.stream.replay("alerts", 0)).toMatchObject({ more: false, forgotten: false });
    const [{ seq }] = parse((await one.stream.replay("alerts", 0)).events);
    expect(await one.stream.replay("alerts", Number(seq))).toMatchObject({ more: false, forgotten: false });
  });

  it("of a number of another topic misses nothing; of one that was never given it says that it may", async () => {
    const one = await startInstance();
    await publish(one.eventLog, "alerts", [1]);
    await publish(one.eventLog, "scan", [2]);
    await eventually("two events", () => one.frames.length === 2);
    const foreign = Number(of("scan", one)[0].seq);
    expect(await one.stream.replay("alerts", foreign)).toMatchObject({ events: [], forgotten: false });
    expect(await one.stream.replay("alerts", foreign + 1_000)).toMatchObject({ events: [], forgotten: true });
  });

  it("of a topic that is not kept, or is none, is empty", async () => {
    const one = await startInstance();
    for (const topic of ["candles:BTC-USD:5m", "candles", "users", ""]) {
      expect(await one.stream.replay(topic, 5)).toEqual({
        events: [],
        seq: 5,
        more: false,
        forgotten: false,
      });
    }
  });
});

describe("pruning", () => {
  it("forgets events of more than 48 hours, and replays say so", async () => {
    const one = await startInstance();
    await publish(one.eventLog, "alerts", range(0, 6));
    await eventually("six events", () => one.frames.length === 6);
    const seqs = one.frames.map(({ seq }) => Number(seq));
    const age = (seq: number, hours: number) =>
      database.query("update events set created_at = now() - $2::float8 * interval '1 hour' where seq = $1", [
        seq,
        hours,
      ]);
    await age(seqs[0], 100);
    await age(seqs[1], 48.1);
    await age(seqs[2], 47.9);
    await one.stream.pruning.run(Date.now(), new AbortController().signal);
    const left = await database.query<{ seq: number }>("select seq from events order by seq");
    expect(left.map(({ seq }) => seq)).toEqual(seqs.slice(2));
    const numbers = async (since: number) => {
      const { events, forgotten } = await one.stream.replay("alerts", since);
      return { numbers: parse(events).map(({ data }) => data.n), forgotten };
    };
    expect(await numbers(0)).toEqual({ numbers: [2, 3, 4, 5], forgotten: true });
    expect(await numbers(seqs[0])).toEqual({ numbers: [2, 3, 4, 5], forgotten: true });
    // The second is gone, and none after it.
    expect(await numbers(seqs[1])).toEqual({ numbers: [2, 3, 4, 5], forgotten: false });
    expect(await numbers(seqs[2])).toEqual({ numbers: [3, 4, 5], forgotten: false });
    expect(one.stream.pruning.everyMs()).toBeLessThanOrEqual(3_600_000);
  });

  it("of everything leaves numbers that go on", async () => {
    const one = await startInstance();
    await publish(one.eventLog, "alerts", [1]);
    await eventually("one event", () => one.frames.length === 1);
    await database.query("update events set created_at = now() - interval '3 days'");
    await one.stream.pruning.run(Date.now(), new AbortController().signal);
    const late = await startInstance();
    await publish(one.eventLog, "alerts", [2]);
    await eventually("an event by both", () => one.frames.length === 2 && late.frames.length === 1);
    expect(one.frames[1].previous_seq).toBe(one.frames[0].seq);
    expect(late.frames[0].seq).toBe(one.frames[1].seq);
    const resumed = await late.stream.replay("alerts", Number(one.frames[0].seq));
    expect(parse(resumed.events).map(({ data }) => data.n)).toEqual([2]);
    expect(resumed.forgotten).toBe(false);
    expect((await late.stream.replay("alerts", 0)).forgotten).toBe(true);
  });
});

describe("topics", () => {
  it("have one spelling", async () => {
    const { stream } = await startInstance();
    expect(stream.topicOf("alerts")).toBe("alerts");
    expect(stream.topicOf("scan")).toBe("scan");
    expect(stream.topicOf("candles:btc:60m")).toBe("candles:BTC-USD:1h");
    expect(stream.topicOf("candles:BTC/USD:1h")).toBe("candles:BTC-USD:1h");
    for (const bad of [
      "",
      "alert",
      "ALERTS",
      "candles",
      "candles:BTC",
      "candles:BTC:1h:x",
      "candles:BTC:2h",
    ]) {
      expect(() => stream.topicOf(bad), bad).toThrow(TOPICS.map(({ form }) => form).join(", "));
    }
  });

  it("of candles tell of each bar that closes on a scanned symbol, on every instance, and keep nothing", async () => {
    const workers = createTestWorkers();
    const [one, two] = [await startInstance(), await startInstance()];
    clock.set(START);
    const provider = createScriptedProvider({ now: clock.now });
    const { scan, parts } = createTestScanner({
      database,
      provider,
      workers,
      clock,
      symbols: ["BTC-USD"],
      intervals: ["5m", "15m"],
      threshold: 1,
    });
    await scan();
    for (let i = 0; i < 3; i++) {
      clock.advance(5 * MINUTE);
      await scan();
    }
    await eventually("four bars", () => one.frames.filter(({ seq }) => seq === null).length >= 4);
    await eventually("four bars", () => two.frames.filter(({ seq }) => seq === null).length >= 4);
    const bars = (instance: Instance) => instance.frames.filter(({ topic }) => topic.startsWith("candles:"));
    const times = (topic: string) =>
      of(topic, one).map(({ data }) => (data as unknown as { timestamp: string }).timestamp.slice(11, 16));
    expect(times("candles:BTC-USD:5m")).toEqual(["12:00", "12:05", "12:10"]);
    expect(times("candles:BTC-USD:15m")).toEqual(["12:00"]);
    const [first] = of("candles:BTC-USD:5m", one);
    const instrument = await parts.instruments.resolve("BTC-USD");
    const stored = await parts.candles.loadRange(instrument, "5m", START, START + 1);
    expect(first.data).toEqual({
      timestamp: "2024-07-09T12:00:00.000Z",
      closed_at: "2024-07-09T12:05:00.000Z",
      open: stored.candles.open[0],
      high: stored.candles.high[0],
      low: stored.candles.low[0],
      close: stored.candles.close[0],
      volume: stored.candles.volume[0],
      source: "scripted",
      synthetic: false,
    });
    expect(first).toMatchObject({ seq: null, previous_seq: null });
    expect(bars(two).map(({ topic, data }) => ({ topic, data }))).toEqual(
      bars(one).map(({ topic, data }) => ({ topic, data })),
    );
    expect(await database.query("select 1 from events where topic like 'candles%'")).toEqual([]);
    // After a pause only the newest are told one by one.
    clock.advance(60 * MINUTE);
    await scan();
    await eventually("three more bars", () => of("candles:BTC-USD:5m", one).length >= 6);
    expect(times("candles:BTC-USD:5m").slice(3)).toEqual(["13:00", "13:05", "13:10"]);
    await workers.close();
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { type Frame, openSocket, publishEvents, type TestSocket } from "../fixtures/socket.js";

let program: TestProgram;
let address: string;
const opened: TestSocket[] = [];

beforeAll(async () => {
  program = await startTestProgram();
  address = await program.listen();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});
afterAll(() => program.close());

async function open(query?: string): Promise<TestSocket> {
  const socket = await openSocket(address, query === undefined ? {} : { query });
  opened.push(socket);
  return socket;
}

const publish = (...args: [topic: string, numbers: readonly number[], padding?: string]) =>
  publishEvents(program.parts as never, ...args);
const typed = (type: string) => (frame: Frame) => frame.type === type;
const numbered = (n: number) => (frame: Frame) => (frame.data as { n?: number } | undefined)?.n === n;
const events = ({ frames }: TestSocket) => frames.filter(typed("event"));
const numbersOf = (socket: TestSocket) => events(socket).map(({ data }) => (data as { n: number }).n);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
let nextNumber = 1;
/** Numbers that no other test publishes. */
function take(count: number): number[] {
  const numbers = range(nextNumber, nextNumber + count);
  nextNumber += count;
  return numbers;
}

describe("an open socket", () => {
  it("is welcomed", async () => {
    const socket = await open();
    expect(await socket.heard(typed("welcome"))).toEqual({
      type: "welcome",
      time: expect.stringMatching(/Z$/),
      heartbeat_ms: 20_000,
    });
    expect((await program.call("/api/stats/system")).json().data.sockets.clients).toBe(1);
  });

  it("answers a ping", async () => {
    const socket = await open();
    socket.send({ type: "ping" });
    expect(await socket.heard(typed("pong"))).toMatchObject({ time: expect.stringMatching(/Z$/) });
  });

  it("hears a topic from subscribing to unsubscribing, each event numbered after the one before", async () => {
    const [socket, other] = [await open(), await open()];
    socket.send({ type: "subscribe", topics: ["alerts"] });
    expect(await socket.heard(typed("subscribed"))).toEqual({
      type: "subscribed",
      topic: "alerts",
      since: null,
      seq: expect.any(Number),
    });
    const [first, second, third] = take(3);
    await publish("alerts", [first, second]);
    const one = await socket.heard(numbered(first));
    const two = await socket.heard(numbered(second));
    expect(one).toMatchObject({
      type: "event",
      topic: "alerts",
      data: { n: first },
      time: expect.stringMatching(/Z$/),
    });
    expect(two.previous_seq).toBe(one.seq);
    socket.send({ type: "unsubscribe", topics: ["alerts"] });
    expect(await socket.heard(typed("unsubscribed"))).toEqual({ type: "unsubscribed", topics: ["alerts"] });
    const witness = await open("topics=alerts");
    await witness.heard(typed("subscribed"));
    await publish("alerts", [third]);
    await witness.heard(numbered(third));
    expect(numbersOf(socket)).toEqual([first, second]);
    expect(events(other)).toEqual([]);
  });

  it("subscribes to several topics in the address, in any spelling of a symbol", async () => {
    const socket = await open("topics=alerts,scan,candles:btc:60m");
    await expect
      .poll(() => socket.frames.filter(typed("subscribed")).map(({ topic }) => topic))
      .toEqual(["alerts", "scan", "candles:BTC-USD:1h"]);
    await program.parts.eventLog.announce({ topic: "candles:BTC-USD:1h", payload: { close: 5 } });
    const candle = await socket.heard(
      ({ topic, type }) => type === "event" && topic === "candles:BTC-USD:1h",
    );
    expect(candle).toMatchObject({ seq: null, previous_seq: null, data: { close: 5 } });
  });

  it("hears of its own answer to an alert's question over REST only what others hear", async () => {
    const socket = await open("topics=scan");
    await socket.heard(typed("subscribed"));
    const [n] = take(1);
    await publish("alerts", [n]);
    const [m] = take(1);
    await publish("scan", [m]);
    await socket.heard(numbered(m));
    expect(numbersOf(socket)).toEqual([m]);
  });
});

describe("a resumed topic", () => {
  const resume = (socket: TestSocket, since: number) =>
    socket.send({ type: "subscribe", topics: ["alerts"], since: { alerts: since } });

  it("starts with what came after the number", async () => {
    const witness = await open("topics=alerts");
    await witness.heard(typed("subscribed"));
    const numbers = take(5);
    await publish("alerts", numbers);
    const second = await witness.heard(numbered(numbers[1]));
    await witness.heard(numbered(numbers[4]));
    const socket = await open();
    resume(socket, Number(second.seq));
    expect(await socket.heard(typed("resumed"))).toEqual({
      type: "resumed",
      topic: "alerts",
      replayed: 3,
      seq: witness.frames.at(-1)?.seq,
      truncated: false,
    });
    expect(numbersOf(socket)).toEqual(numbers.slice(2));
    expect(events(socket)[0]?.previous_seq).toBe(second.seq);
    expect(events(socket)).toEqual(events(witness).slice(-3));
  });

  it("from a number that was never given out still hears what comes", async () => {
    const socket = await open();
    resume(socket, 1_000_000_000);
    const resumed = await socket.heard(typed("resumed"));
    expect(resumed).toMatchObject({ replayed: 0, truncated: true });
    expect(Number(resumed.seq)).toBeLessThan(1_000_000);
    const numbers = take(2);
    await publish("alerts", numbers);
    await socket.heard(numbered(numbers[1]));
    expect(numbersOf(socket)).toEqual(numbers);
  });

  it("loses and repeats nothing over forty reconnects while events come in", {
    timeout: 30_000,
  }, async () => {
    const numbers = take(800);
    const [firstNumber] = numbers;
    await publish("alerts", [firstNumber]);
    const witness = await open("topics=alerts");
    await witness.heard(typed("subscribed"));
    await publish("alerts", [numbers[1]]);
    let last = Number((await witness.heard(numbered(numbers[1]))).seq);
    const seen: number[] = [];
    const publishing = (async () => {
      for (let i = 2; i < numbers.length; i += 3) await publish("alerts", numbers.slice(i, i + 3));
    })();
    for (let i = 0; i < 40; i++) {
      const socket = await openSocket(address);
      resume(socket, last);
      await socket.heard(typed("resumed"));
      if (i % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 15));
      // Cut in the middle of whatever is underway.
      socket.socket.terminate();
      await socket.closed;
      for (const event of events(socket)) {
        expect(event.previous_seq).toBe(last);
        seen.push((event.data as { n: number }).n);
        last = Number(event.seq);
      }
    }
    await publishing;
    await witness.heard(numbered(numbers[799]));
    const rest = await open();
    resume(rest, last);
    await rest.heard(typed("resumed"));
    expect([...seen, ...numbersOf(rest)]).toEqual(numbers.slice(2));
  });

  it("says when there is more than is sent at once, and goes on from there", async () => {
    const start = take(1);
    const witness = await open("topics=scan");
    await witness.heard(typed("subscribed"));
    await publish("scan", start);
    const since = Number((await witness.heard(numbered(start[0]))).seq);
    const numbers = take(1_500);
    await publish("scan", numbers, "x".repeat(1_200));
    const socket = await open();
    socket.send({ type: "subscribe", topics: ["scan"], since: { scan: since } });
    const resumed = await socket.heard(typed("resumed"));
    expect(resumed).toMatchObject({ replayed: 1_000, truncated: true, reason: "more" });
    expect(numbersOf(socket).slice(0, 1_000)).toEqual(numbers.slice(0, 1_000));
    const again = await open();
    again.send({ type: "subscribe", topics: ["scan"], since: { scan: resumed.seq } });
    expect(await again.heard(typed("resumed"))).toMatchObject({ replayed: 500, truncated: false });
    expect(numbersOf(again)).toEqual(numbers.slice(1_000));
  });

  it("says when the number is one that is no longer kept, or never was", async () => {
    const numbers = take(3);
    const witness = await open("topics=alerts");
    await witness.heard(typed("subscribed"));
    await publish("alerts", numbers);
    const [gone] = [Number((await witness.heard(numbered(numbers[0]))).seq)];
    await witness.heard(numbered(numbers[2]));
    await program.parts.database.query("delete from events where seq <= $1", [gone]);
    const late = await open();
    resume(late, gone - 1);
    expect(await late.heard(typed("resumed"))).toMatchObject({
      replayed: 2,
      truncated: true,
      reason: "forgotten",
    });
    // One who saw nothing before says 0, and misses what is gone all the same.
    const first = await open();
    resume(first, 0);
    expect(await first.heard(typed("resumed"))).toMatchObject({ truncated: true, reason: "forgotten" });
    const ahead = await open();
    resume(ahead, gone + 1_000_000);
    expect(await ahead.heard(typed("resumed"))).toMatchObject({ replayed: 0, truncated: true });
  });

  it("goes on from the number that it began with, though nothing came before it was cut", async () => {
    const cut = await open();
    cut.send({ type: "subscribe", topics: ["alerts"] });
    const { seq } = await cut.heard(typed("subscribed"));
    await cut.close();
    const numbers = take(3);
    await publish("alerts", numbers);
    const again = await open();
    resume(again, Number(seq));
    expect(await again.heard(typed("resumed"))).toMatchObject({ replayed: 3, truncated: false });
    expect(numbersOf(again)).toEqual(numbers);
  });

  it("is refused with the number of a topic that it does not ask for", async () => {
    const socket = await open();
    socket.send({ type: "subscribe", topics: ["alerts"], since: { alertz: 5 } });
    expect(await socket.heard(typed("error"))).toMatchObject({
      code: "invalid_request",
      detail: expect.stringContaining("alertz"),
    });
    expect(socket.frames.some(typed("subscribed"))).toBe(false);
  });

  it("is not joined when what was missed cannot be read", async () => {
    const spy = vi.spyOn(program.parts.eventLog, "readAfter").mockRejectedValueOnce(new Error("planted"));
    const socket = await open();
    resume(socket, 1);
    expect(await socket.heard(typed("error"))).toMatchObject({ code: "internal" });
    spy.mockRestore();
    const witness = await open("topics=alerts");
    await witness.heard(typed("subscribed"));
    const [n] = take(1);
    await publish("alerts", [n]);
    await witness.heard(numbered(n));
    expect(events(socket)).toEqual([]);
    resume(socket, 0);
    await socket.heard(typed("resumed"));
    await socket.heard(numbered(n));
  });

  it("of a kind that is not kept says that what was missed is lost, and begins with what is true now", async () => {
    const socket = await open();
    const topics = ["candles:AAPL:1d", "quotes:AAPL", "bars:AAPL:1m"];
    const since = Object.fromEntries(topics.map((topic) => [topic, 5]));
    socket.send({ type: "subscribe", topics, since });
    for (const topic of topics) {
      expect(await socket.heard((frame) => frame.type === "resumed" && frame.topic === topic)).toEqual({
        type: "resumed",
        topic,
        seq: 5,
        replayed: 0,
        truncated: true,
        reason: "not_kept",
      });
    }
    const snapshots = socket.frames.filter(typed("snapshot"));
    expect(snapshots.map(({ topic }) => topic)).toEqual(topics.slice(0, 2));
    expect(snapshots.every(({ data }) => data !== null)).toBe(true);
    await program.parts.eventLog.announce({ topic: "bars:AAPL:1m", payload: { close: 5 } });
    await socket.heard(({ type, topic }) => type === "event" && topic === "bars:AAPL:1m");
  });
});

describe("a subscription of several topics", () => {
  it("hears those that it may, and is told of each other by its name", async () => {
    const socket = await open();
    const foreign = "account:00000000-0000-4000-8000-000000000000";
    const topics = ["alerts", foreign, "alertz", "jobs:4294967290", "scan", "rules:somebody-else"];
    socket.send({ type: "subscribe", topics, since: { scan: 0 } });
    await socket.heard(({ type, topic }) => type === "resumed" && topic === "scan");
    expect(socket.frames.filter(typed("subscribed")).map(({ topic }) => topic)).toEqual(["alerts", "scan"]);
    expect(socket.frames.filter(typed("error")).map(({ topic, code }) => [topic, code])).toEqual([
      [foreign, "account_not_found"],
      ["alertz", "invalid_request"],
      ["jobs:4294967290", "job_not_found"],
      ["rules:somebody-else", "rule_not_found"],
    ]);
    const [n] = take(1);
    await publish("alerts", [n]);
    await socket.heard(numbered(n));
  });

  it("goes on with the others when one cannot be read back, and is one bad frame however many are refused", async () => {
    const spy = vi.spyOn(program.parts.eventLog, "readAfter").mockRejectedValueOnce(new Error("planted"));
    const socket = await open();
    socket.send({ type: "subscribe", topics: ["alerts", "scan"], since: { alerts: 1 } });
    await socket.heard(({ type, topic }) => type === "subscribed" && topic === "scan");
    expect(await socket.heard(typed("error"))).toMatchObject({ code: "internal", topic: "alerts" });
    spy.mockRestore();
    socket.send({ type: "subscribe", topics: Array.from({ length: 100 }, (_, i) => `nothing${i}`) });
    await expect.poll(() => socket.frames.filter(typed("error")).length).toBe(101);
    socket.send({ type: "ping" });
    await socket.heard(typed("pong"));
  });
});

describe("a frame that is not understood", () => {
  it.each<[string, string]>([
    ["no JSON", "not json"],
    ["nothing", ""],
    ["a number", "5"],
    ["null", "null"],
    ["a list", "[]"],
    ["5,000 levels of lists", "[".repeat(5_000) + "]".repeat(5_000)],
    ["5,000 levels of objects", `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`],
    ["no type", "{}"],
    ["an unknown type", '{"type":"admin"}'],
    ["a type of another kind", '{"type":{"$ne":1}}'],
    ["a prototype", '{"__proto__":{"type":"ping"}}'],
    ["a further field", '{"type":"ping","x":1}'],
    ["no topics", '{"type":"subscribe"}'],
    ["topics as text", '{"type":"subscribe","topics":"alerts"}'],
    ["an empty list of topics", '{"type":"subscribe","topics":[]}'],
    ["a wildcard", '{"type":"subscribe","topics":["*"]}'],
    ["somebody's topic", '{"type":"subscribe","topics":["user:admin"]}'],
    ["a candle of no symbol", '{"type":"subscribe","topics":["candles::1h"]}'],
    ["a candle of no interval", '{"type":"subscribe","topics":["candles:BTC:9m"]}'],
    ["a candle with NUL", '{"type":"subscribe","topics":["candles:BTC\\u0000:1h"]}'],
    ["a long topic", `{"type":"subscribe","topics":["${"a".repeat(101)}"]}`],
    ["a number that is none", '{"type":"subscribe","topics":["alerts"],"since":{"alerts":"1"}}'],
    ["a negative number", '{"type":"subscribe","topics":["alerts"],"since":{"alerts":-1}}'],
    ["1e400", '{"type":"subscribe","topics":["alerts"],"since":{"alerts":1e400}}'],
    ["a leave of nothing", '{"type":"unsubscribe","topics":["nothing"]}'],
  ])("is answered with an error and harms nobody: %s", async (_name, text) => {
    const socket = await open();
    socket.socket.send(text);
    const { code, detail } = await socket.heard(typed("error"));
    expect(code).toMatch(/^(invalid_request|symbol_invalid|symbol_unknown)$/);
    expect(String(detail).length).toBeLessThan(300);
    socket.send({ type: "ping" });
    await socket.heard(typed("pong"));
  });

  it("is answered with an error when it is binary", async () => {
    const socket = await open();
    socket.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
    expect(await socket.heard(typed("error"))).toMatchObject({ code: "invalid_request" });
  });

  it("ends the connection when there are too many (1008)", async () => {
    const socket = await open();
    for (let i = 0; i < 30; i++) socket.socket.send("x");
    expect(await socket.closed).toBe(1008);
    expect(socket.frames.filter(typed("error"))).toHaveLength(21);
  });

  it("does not count what the server fails at, and never ends the program", async () => {
    const spy = vi.spyOn(program.parts.stream, "topicOf").mockImplementation(() => {
      throw new TypeError("planted");
    });
    const socket = await open();
    for (let i = 0; i < 30; i++) socket.send({ type: "subscribe", topics: ["alerts"] });
    await expect.poll(() => socket.frames.filter(typed("error")).length).toBe(30);
    expect(socket.frames.at(-1)).toMatchObject({
      code: "internal",
      detail: expect.not.stringContaining("planted"),
    });
    spy.mockRestore();
    socket.send({ type: "subscribe", topics: ["alerts"] });
    await socket.heard(typed("subscribed"));
  });
});

describe("a server that shuts down", () => {
  it("says goodbye (1001) and opens no more", async () => {
    const own = await startTestProgram();
    const socket = await openSocket(await own.listen());
    await own.close();
    expect(await socket.closed).toBe(1001);
  });
});

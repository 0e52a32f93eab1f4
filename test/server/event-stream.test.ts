import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { openEventSource, type SentEvent, type TestEventSource } from "../fixtures/event-source.js";
import { KEYED, keyFor } from "../fixtures/keyed.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { openSocket, publishEvents, refusal } from "../fixtures/socket.js";

let program: TestProgram;
let address: string;
const opened: TestEventSource[] = [];

beforeAll(async () => {
  program = await startTestProgram({ sockets: { stalledMs: 1_500 } });
  address = await program.listen();
});
afterEach(async () => {
  for (const source of opened.splice(0)) {
    source.cut();
    await source.ended;
  }
});
afterAll(() => program.close());

async function open(query: string, headers: Record<string, string> = {}): Promise<TestEventSource> {
  const source = await openEventSource(address, `/api/events?${query}`, headers);
  opened.push(source);
  return source;
}

const publish = (...args: [topic: string, numbers: readonly number[], padding?: string]) =>
  publishEvents(program.parts as never, ...args);
const told = (type: string) => (event: SentEvent) =>
  event.type === "stream" && (event.data as { type: string }).type === type;
const dataOf = ({ data }: SentEvent) => (data as { data?: { n?: number } }).data;
const numbered = (n: number) => (event: SentEvent) => event.type === "message" && dataOf(event)?.n === n;
const numbersOf = ({ events }: TestEventSource) =>
  events.filter(({ type }) => type === "message").map((event) => dataOf(event)?.n);
let next = 1;
function take(count: number): number[] {
  return Array.from({ length: count }, () => next++);
}

describe("GET /api/events", () => {
  it("200 begins where the topics are, tells events of all of them in order, and each id is the cursor", async () => {
    const [before, one, two, three] = take(4);
    await publish("alerts", [before]);
    const source = await open("topics=alerts,scan");
    expect(source.status).toBe(200);
    expect(source.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    const begun = await source.heard(told("subscribed"));
    expect(begun.data).toMatchObject({ topics: ["alerts", "scan"], since: null, seq: Number(begun.id) });
    await publish("scan", [one]);
    await publish("quality", [two]);
    await publish("alerts", [three]);
    await source.heard(numbered(three));
    expect(numbersOf(source)).toEqual([one, three]);
    for (const { id, type, data } of source.events)
      if (type === "message") expect(id).toBe(String((data as { seq: number }).seq));
  });

  it("200 resumes after Last-Event-ID with what was missed on every topic, once and in order", async () => {
    const first = await open("topics=alerts,scan");
    await first.heard(told("subscribed"));
    const [seen, ...missed] = take(6);
    await publish("scan", [seen]);
    await first.heard(numbered(seen));
    first.cut();
    for (const n of missed) await publish(n % 2 === 0 ? "alerts" : "scan", [n]);
    const second = await open("topics=alerts,scan", { "last-event-id": first.lastId() });
    const resumed = await second.heard(told("resumed"));
    expect(resumed.data).toEqual({
      type: "resumed",
      topics: ["alerts", "scan"],
      replayed: 5,
      seq: Number(second.lastId()),
      truncated: false,
    });
    expect(numbersOf(second)).toEqual(missed);
    const [live] = take(1);
    await publish("alerts", [live]);
    await second.heard(numbered(live));
    expect(numbersOf(second)).toEqual([...missed, live]);
  });

  it("200 tells of each event which came before it on its topic, also in a replay", async () => {
    const first = await open("topics=alerts,scan");
    await first.heard(told("subscribed"));
    const [a, b, c] = take(3);
    await publish("scan", [a]);
    await publish("alerts", [b]);
    await publish("scan", [c]);
    const [before, , after] = [await first.heard(numbered(a)), b, await first.heard(numbered(c))];
    const since = Number((await first.heard(numbered(b))).id);
    const second = await open(`topics=alerts,scan&since=${since}`);
    const again = await second.heard(numbered(c));
    expect(again.data).toEqual(after.data);
    expect(again.data).toMatchObject({ previous_seq: Number(before.id) });
  });

  it("200 says of each topic that is not kept that it was cut, and begins it with what is true now", async () => {
    const topics = "topics=alerts,candles:AAPL:1d,bars:AAPL:1m,quotes:AAPL";
    const first = await open(topics);
    const { data } = await first.heard(told("subscribed"));
    first.cut();
    const numbers = take(2);
    await publish("alerts", numbers);
    const { seq } = data as { seq: number };
    for (const [query, headers] of [
      [topics, { "last-event-id": String(seq) }],
      [`${topics}&since=${seq}`, {}],
    ] as const) {
      const second = await open(query, headers);
      await second.heard((event) => told("resumed")(event) && "topics" in (event.data as object));
      expect(numbersOf(second).filter((n) => n !== undefined)).toEqual(numbers);
      const ends = second.events.filter(told("resumed")).map((event) => event.data);
      const lost = { type: "resumed", replayed: 0, seq, truncated: true, reason: "not_kept" };
      expect(ends.slice(0, 3)).toEqual(
        ["candles:AAPL:1d", "bars:AAPL:1m", "quotes:AAPL"].map((topic) => ({ ...lost, topic })),
      );
      expect(ends[3]).toMatchObject({ topics: ["alerts"], replayed: 2, truncated: false });
      const snapshots = second.events.map((event) => event.data as { type: string; topic: string });
      expect(snapshots.filter(({ type }) => type === "snapshot").map(({ topic }) => topic)).toEqual([
        "candles:AAPL:1d",
        "quotes:AAPL",
      ]);
    }
  });

  it("200 hears the topics that it may, and names each that it may not; an error where none is left", async () => {
    const source = await open("topics=nothing,alerts,jobs:4294967290");
    const begun = await source.heard(told("subscribed"));
    expect(begun.data).toMatchObject({ topics: ["alerts"] });
    const errors = source.events
      .filter(({ type, data }) => type === "stream" && (data as { type: string }).type === "error")
      .map(({ data }) => data);
    expect(errors).toEqual([
      { type: "error", code: "invalid_request", detail: expect.any(String), topic: "nothing" },
      { type: "error", code: "job_not_found", detail: expect.any(String), topic: "jobs:4294967290" },
    ]);
    const [n] = take(1);
    await publish("alerts", [n]);
    await source.heard(numbered(n));
    expect((await open("topics=jobs:4294967290,nothing")).status).toBe(404);
  });

  it("200 has a cursor before the first event of its topics", async () => {
    const first = await open("topics=models,synergy");
    await first.heard(told("subscribed"));
    first.cut();
    const numbers = take(2);
    await publish("models", numbers);
    const second = await open(`topics=models,synergy&since=${first.lastId()}`);
    await second.heard(told("resumed"));
    expect(numbersOf(second)).toEqual(numbers);
  });

  it("200 says that something may be missing after a number that is not kept", async () => {
    const source = await open("topics=scan&since=999999999");
    expect((await source.heard(told("resumed"))).data).toMatchObject({ replayed: 0, truncated: true });
  });

  it("200 tells what is not kept without moving the cursor", async () => {
    const source = await open("topics=candles:btc:60m,alerts");
    await source.heard(told("subscribed"));
    const cursor = source.lastId();
    await program.parts.eventLog.announce({ topic: "candles:BTC-USD:1h", payload: { n: 77 } });
    expect((await source.heard(numbered(77))).id).toBe(cursor);
  });

  it("200 ends, and does not go on, where what came before cannot be read", async () => {
    const spy = vi.spyOn(program.parts.eventLog, "readAfter").mockImplementationOnce(async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      throw new Error("planted");
    });
    const source = await open("topics=alerts&since=0");
    await source.ended;
    expect(numbersOf(source)).toEqual([]);
    spy.mockRestore();
  });

  it("200 lets go of one that reads nothing within its patience, and holds no more than 1 MiB for it", async () => {
    const stalled = await open("topics=alerts");
    const reader = await open("topics=alerts");
    await Promise.all([stalled.heard(told("subscribed")), reader.heard(told("subscribed"))]);
    stalled.pause();
    const padding = "x".repeat(60_000);
    const before = await cuts();
    const numbers: number[] = [];
    await expect
      .poll(
        async () => {
          const some = take(10);
          numbers.push(...some);
          await publish("alerts", some, padding);
          return (await cuts()) - before;
        },
        { timeout: 20_000, interval: 50 },
      )
      .toBe(1);
    const last = numbers[numbers.length - 1];
    await reader.heard(numbered(last));
    expect(numbersOf(reader)).toEqual(numbers);
  });

  it.each([
    ["what is no topic", "topics=nothing", {}],
    ["an empty list", "topics=", {}],
    ["no list", "", {}],
    ["a number below 0", "topics=alerts&since=-1", {}],
    ["no number", "topics=alerts&since=", {}],
    ["what is no number", "topics=alerts&since=x", {}],
    ["a header that is no number", "topics=alerts", { "last-event-id": "abc" }],
    ["201 topics", `topics=${Array.from({ length: 201 }, (_, k) => `candles:S${k}:5m`).join(",")}`, {}],
  ])("400 for %s", async (_, query, headers: Record<string, string>) => {
    expect((await open(query, headers)).status).toBe(400);
  });

  it("404 for a job of nobody", async () => {
    expect((await open("topics=jobs:4294967290")).status).toBe(404);
  });
});

describe("GET /api/events of a server with keys", () => {
  let keyed: TestProgram;
  let url: string;
  beforeAll(async () => {
    keyed = await startTestProgram({ environment: KEYED, sockets: { pingEveryMs: 500 } });
    url = await keyed.listen();
  });
  afterAll(() => keyed.close());

  it("401 without one, 200 by key or ticket, which is good once", async () => {
    const key = await keyFor(keyed, "vera", "viewer");
    const headers = { "x-api-key": key };
    const ticket = await keyed.call({ method: "POST", url: "/api/auth/ws-ticket", headers });
    const path = `/api/events?topics=alerts&ticket=${ticket.json().data.token}`;
    const statuses: number[] = [];
    for (const [to, given] of [
      ["/api/events?topics=alerts", {}],
      ["/api/events?topics=alerts", headers],
      [path, {}],
      [path, {}],
    ] as const) {
      const source = await openEventSource(url, to, given);
      opened.push(source);
      statuses.push(source.status);
    }
    expect(statuses).toEqual([401, 200, 200, 401]);
  });

  /** Headers with a key of somebody, and the address of a stream by a ticket of theirs. */
  async function ticketOf(user: string): Promise<{ headers: Record<string, string>; path: string }> {
    const headers = { "x-api-key": await keyFor(keyed, user, "viewer") };
    const ticket = await keyed.call({ method: "POST", url: "/api/auth/ws-ticket", headers });
    return { headers, path: `/api/events?topics=alerts&ticket=${ticket.json().data.token}` };
  }
  async function openAt(path: string, headers: Record<string, string> = {}): Promise<TestEventSource> {
    const source = await openEventSource(url, path, headers);
    opened.push(source);
    return source;
  }
  const cookieOf = ({ headers }: TestEventSource) => String(headers["set-cookie"]).split(";")[0];
  const publishKeyed = (numbers: readonly number[]) => publishEvents(keyed.parts as never, "alerts", numbers);

  it("200 again by the cookie of the one whose ticket is used up, and nothing is missing", async () => {
    const { path, headers } = await ticketOf("cora");
    const first = await openAt(path);
    await first.heard(told("subscribed"));
    expect(first.headers["set-cookie"]).toEqual([
      expect.stringMatching(
        /^tx_events=[\w.-]+; Path=\/api\/events; Max-Age=86(399|400); HttpOnly; SameSite=Strict$/,
      ),
    ]);
    const [seen, ...missed] = take(4);
    await publishKeyed([seen]);
    await first.heard(numbered(seen));
    first.cut();
    await publishKeyed(missed);
    const cookie = cookieOf(first);
    const back = { cookie: `other=1; ${cookie}`, "last-event-id": first.lastId() };
    for (let n = 0; n < 2; n++) {
      const again = await openAt(path, back);
      expect(again.status).toBe(200);
      expect(again.headers["set-cookie"]).toBeUndefined();
      await again.heard(told("resumed"));
      expect(numbersOf(again)).toEqual(missed);
    }
    expect((await openAt(path)).status).toBe(401);
    expect((await openAt(path, { cookie: `${cookie}x` })).status).toBe(401);
    expect((await openAt("/api/events?topics=alerts", { cookie })).status).toBe(401);
    const { data } = (await keyed.call({ method: "GET", url: "/api/auth/keys", headers })).json();
    await keyed.call({ method: "DELETE", url: `/api/auth/keys/${data[0].id}`, headers });
    expect((await openAt(path, back)).status).toBe(401);
  });

  it("401 by the cookie of another, and on every other route", async () => {
    const [own, other] = [await ticketOf("dora"), await ticketOf("emma")];
    const first = await openAt(own.path);
    expect((await openAt(other.path)).status).toBe(200);
    const cookie = cookieOf(first);
    expect((await openAt(other.path, { cookie })).status).toBe(401);
    const [, token] = cookie.split("=");
    const calls = [
      keyed.call({ url: "/api/alerts", headers: { cookie } }),
      keyed.call({ url: "/api/alerts", headers: { authorization: `Bearer ${token}` } }),
      keyed.call({ url: `/api/events?topics=alerts&ticket=${token}` }),
    ];
    for (const { statusCode } of await Promise.all(calls)) expect(statusCode).toBe(401);
    expect(await refusal(openSocket(url, { query: `ticket=${token}` }))).toMatchObject({ status: 401 });
  });

  it("200 ends once its key is revoked", async () => {
    const key = await keyFor(keyed, "rita", "viewer");
    const source = await openEventSource(url, "/api/events?topics=alerts", { "x-api-key": key });
    opened.push(source);
    await source.heard(told("subscribed"));
    const headers = { "x-api-key": key };
    const { data } = (await keyed.call({ method: "GET", url: "/api/auth/keys", headers })).json();
    await keyed.call({ method: "DELETE", url: `/api/auth/keys/${data[0].id}`, headers });
    await source.ended;
    expect(source.comments.length).toBeGreaterThan(0);
  });
});

describe("the cookie of a stream", () => {
  it("is sent over https alone behind https, is kept by pages of listed origins, and ends after a day", async () => {
    const clock = createManualClock(Date.parse("2026-01-05T12:00Z"));
    const environment = { ...KEYED, TRUST_PROXY_HOPS: "1", CORS_ORIGINS: "https://app.example" };
    const keyed = await startTestProgram({ clock, environment });
    const url = await keyed.listen();
    const headers = { "x-api-key": await keyFor(keyed, "vera", "viewer") };
    const ticket = await keyed.call({ method: "POST", url: "/api/auth/ws-ticket", headers });
    const path = `/api/events?topics=alerts&ticket=${ticket.json().data.token}`;
    const first = await openEventSource(url, path, {
      "x-forwarded-proto": "https",
      origin: "https://app.example",
    });
    expect(first.headers["access-control-allow-credentials"]).toBe("true");
    const [set = ""] = first.headers["set-cookie"] ?? [];
    expect(set).toMatch(/; Secure$/);
    first.cut();
    const statuses: number[] = [];
    for (const hours of [23, 2]) {
      clock.advance(hours * 3_600_000);
      const again = await openEventSource(url, path, { cookie: set.split(";")[0] });
      statuses.push(again.status);
      again.cut();
      await again.ended;
    }
    expect(statuses).toEqual([200, 401]);
    await keyed.close();
  });
});

async function cuts(): Promise<number> {
  const { body } = await program.call("/metrics");
  const lines = body.split("\n").filter((line) => line.startsWith("tx_ws_cuts_total"));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

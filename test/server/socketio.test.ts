import { io, type Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { KEYED, keyFor } from "../fixtures/keyed.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { openSocket, publishEvents } from "../fixtures/socket.js";

type Fields = Readonly<Record<string, unknown>>;

/** A client with all it heard. */
interface Heard {
  readonly socket: Socket;
  readonly events: readonly (readonly [string, Fields])[];
  heard(event: string, accept?: (payload: Fields) => boolean): Promise<Fields>;
  ask(event: string, payload?: object): Promise<Fields>;
}

let program: TestProgram;
let address: string;
const opened: Socket[] = [];

beforeAll(async () => {
  program = await startTestProgram({ environment: { SCAN_SYMBOLS: "AAPL,BTC-USD", SCAN_INTERVALS: "1h" } });
  address = await program.listen();
});
afterEach(() => {
  for (const socket of opened.splice(0)) socket.disconnect();
});
afterAll(() => program.close());

function open(options: object = {}, url = address): Heard {
  const socket = io(url, { transports: ["websocket"], reconnection: false, forceNew: true, ...options });
  opened.push(socket);
  const events: [string, Fields][] = [];
  const waiting = new Set<() => void>();
  socket.onAny((event: string, payload: Fields) => {
    events.push([event, payload]);
    for (const look of [...waiting]) look();
  });
  return {
    socket,
    events,
    heard: (event, accept = () => true) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => finish(new Error(`${event} was not heard: ${JSON.stringify(events).slice(0, 2_000)}`)),
          10_000,
        );
        function finish(result: Fields | Error): void {
          clearTimeout(timer);
          waiting.delete(look);
          if (result instanceof Error) reject(result);
          else resolve(result);
        }
        function look(): void {
          const found = events.find(([name, payload]) => name === event && accept(payload));
          if (found !== undefined) finish(found[1]);
        }
        waiting.add(look);
        look();
      }),
    ask: async (event, payload = {}) => (await socket.timeout(5_000).emitWithAck(event, payload)) as Fields,
  };
}

const publish = (...args: [topic: string, numbers: readonly number[], padding?: string]) =>
  publishEvents(program.parts as never, ...args);
const numberOf = (payload: Fields) => (payload.data as { n?: number } | undefined)?.n;
const numbersOf = ({ events }: Heard) =>
  events.flatMap(([event, payload]) => (event === "event" ? [numberOf(payload)] : []));
let next = 1;
const take = (count: number) => Array.from({ length: count }, () => next++);

describe.each([
  ["websocket", ["websocket"]],
  ["polling", ["polling"]],
  ["polling, then websocket", ["polling", "websocket"]],
  ["websocket, then polling", ["websocket", "polling"]],
])("a client by %s", (_, transports) => {
  it("is greeted, and hears alerts and scans without asking", async () => {
    const client = open({ transports });
    expect(await client.heard("connection_status")).toMatchObject({
      status: "connected",
      connected: true,
      message: "Connected",
      timestamp: expect.stringMatching(/Z$/),
    });
    expect(await client.heard("system_status")).toMatchObject({ synthetic: true });
    expect(await client.heard("subscription_status")).toMatchObject({ alerts: true, scan_results: true });
    await client.heard("subscribed", ({ topic }) => topic === "scan");
    const [n] = take(1);
    await publish("alerts", [n]);
    expect(await client.heard("event", (payload) => numberOf(payload) === n)).toMatchObject({
      topic: "alerts",
    });
  });
});

describe("a client", () => {
  it("is told an alert by the names that older clients know", async () => {
    const client = open();
    await client.heard("subscribed", ({ topic }) => topic === "alerts");
    const alert = {
      ...{ id: 7, symbol: "AAPL", alert_type: "Hammer", confidence: 0.6, confidence_pct: 60, price: 101 },
      ...{ timestamp: "2026-01-02T00:00:00.000Z", source: "synthetic", synthetic: true, interval: "1d" },
      ...{ pattern: "hammer", message: "Hammer on AAPL", is_active: true },
      metadata: {
        explanation: "why",
        risk_suggestions: { entry: 101, stop_loss: 99, take_profit: 105, rr: 2 },
      },
    };
    const { eventLog, database } = program.parts as never as Parameters<typeof publishEvents>[0];
    await database.transaction((sql) =>
      eventLog.append(sql, [{ topic: "alerts", payload: { kind: "created", alert } }]),
    );
    eventLog.wake();
    expect(await client.heard("new_alert")).toEqual(alert);
    expect(await client.heard("pattern_alert")).toMatchObject({
      ...{ symbol: "AAPL", alert_type: "Hammer", confidence: 0.6, confidence_pct: 60, price: 101 },
      ...{ timestamp: alert.timestamp, source: "synthetic", explanation: "why", interval: "1d" },
    });
    expect(await client.heard("detection")).toMatchObject({
      ...{ type: "hammer", symbol: "AAPL", confidence: 0.6, projectedTarget: 105, currentPrice: 101 },
    });
  });

  it("hears what a scan saw where it hears scans, and not where it asked for something else", async () => {
    const client = open();
    const other = open({ auth: { topics: ["alerts"] } });
    await client.heard("subscribed", ({ topic }) => topic === "scan");
    await other.heard("subscribed", ({ topic }) => topic === "alerts");
    const { scanner, clock } = program.parts;
    await scanner.start({});
    await scanner.loop.run(clock.now(), new AbortController().signal);
    await scanner.stop();
    const whole = await client.heard("market_scan_update");
    expect(whole).toMatchObject({ truncated: expect.any(Boolean), data: expect.any(Array) });
    const scans = client.events.filter(([event]) => event === "scan_update");
    expect(scans).toHaveLength((whole.data as unknown[]).length);
    expect(scans[0]?.[1]).toMatchObject({
      symbol: whole.symbol,
      intraday_patterns: expect.any(Array),
      context_patterns: expect.any(Array),
    });
    const [n] = take(1);
    await publish("alerts", [n]);
    await other.heard("event", (payload) => numberOf(payload) === n);
    expect(other.events.map(([event]) => event).filter((event) => event.includes("scan"))).toEqual([]);
  });

  it("takes one number for all its topics, and says of none that something is lost", async () => {
    const first = open({ auth: { topics: ["alerts", "quality"] } });
    await first.heard("subscribed", ({ topic }) => topic === "quality");
    const [one, two, three] = take(3);
    await publish("quality", [one]);
    await publish("alerts", [two]);
    const { seq } = await first.heard("event", (payload) => numberOf(payload) === two);
    first.socket.disconnect();
    await publish("quality", [three]);
    const second = open({ auth: { topics: ["alerts", "quality"], since: seq } });
    expect(await second.heard("resumed", ({ topic }) => topic === "quality")).toMatchObject({
      ...{ replayed: 1, truncated: false },
    });
    expect(await second.heard("resumed", ({ topic }) => topic === "alerts")).toMatchObject({
      ...{ replayed: 0, truncated: false },
    });
  });

  it("is told of what it asks for that there is not", async () => {
    const client = open();
    await client.heard("subscribed");
    expect(await client.ask("subscribe_nothing")).toMatchObject({ success: false, code: "invalid_request" });
    const asked = { topics: ["alerts"], sinces: { alerts: 1 } };
    expect(await client.ask("subscribe", asked)).toMatchObject({ success: false, code: "invalid_request" });
    const stray = { topics: ["alerts"], since: { alertz: 1 } };
    expect(await client.ask("subscribe", stray)).toMatchObject({ success: false, code: "invalid_request" });
  });

  it("resumes from a number: what it missed comes first, once and in order", async () => {
    const first = open();
    await first.heard("subscribed", ({ topic }) => topic === "alerts");
    const [seen, ...missed] = take(8);
    await publish("alerts", [seen]);
    const { seq } = await first.heard("event", (payload) => numberOf(payload) === seen);
    first.socket.disconnect();
    await publish("alerts", missed);
    const second = open({ auth: { topics: ["alerts"], since: { alerts: seq } } });
    expect(await second.heard("resumed")).toMatchObject({ topic: "alerts", replayed: 7, truncated: false });
    const [live] = take(1);
    await publish("alerts", [live]);
    await second.heard("event", (payload) => numberOf(payload) === live);
    expect(numbersOf(second)).toEqual([...missed, live]);
  });

  it("hears its portfolio and its trades once it asks for them", async () => {
    const client = open();
    await client.heard("connection_status");
    expect(await client.ask("subscribe_portfolio")).toMatchObject({ success: true, portfolio: true });
    client.socket.emit("subscribe_positions");
    await client.heard("subscription_status", ({ positions }) => positions === true);
    const before = await client.heard("portfolio_update");
    expect(before).toMatchObject({ positions_count: 0, positions: {}, timestamp: expect.any(String) });
    const order = { symbol: "BTC", side: "buy", quantity: 0.01 };
    const placed = await program.call({ method: "POST", url: "/api/paper-trades", payload: order });
    expect(placed.statusCode).toBe(200);
    expect(await client.heard("trade_executed")).toMatchObject({
      ...{ symbol: "BTC-USD", side: "buy", quantity: 0.01, price: expect.any(Number) },
      timestamp: expect.stringMatching(/Z$/),
    });
    const after = await client.heard("portfolio_update", ({ positions_count }) => positions_count === 1);
    expect(Object.keys(after.positions as object)).toEqual(["BTC-USD"]);
  });

  it("hears other topics when it asks for them, and says no more when it does not", async () => {
    const client = open();
    await client.heard("connection_status");
    const asked = await client.ask("subscribe", { topics: ["quotes:btc", "quality"], snapshot: true });
    expect(asked).toMatchObject({ success: true, status: "subscribed" });
    expect(await client.heard("snapshot")).toMatchObject({ topic: "quotes:BTC-USD" });
    const [one, two] = take(2);
    await publish("quality", [one]);
    await client.heard("event", (payload) => numberOf(payload) === one);
    expect(await client.ask("unsubscribe", { topics: ["quality"] })).toMatchObject({ success: true });
    await publish("quality", [two]);
    const [last] = take(1);
    await publish("alerts", [last]);
    await client.heard("event", (payload) => numberOf(payload) === last);
    expect(numbersOf(client)).not.toContain(two);
  });

  it("hears of what it opens with what it may, and its status lists that alone", async () => {
    const topics = ["alerts", "nothing", "jobs:4294967290", "quality"];
    const client = open({ auth: { topics } });
    const status = await client.heard("subscription_status");
    expect(status).toMatchObject({
      ...{ status: "subscribed", topics: ["alerts", "quality"], alerts: true, scan_results: false },
    });
    const names = client.events.map(([event]) => event);
    expect(names.indexOf("subscription_status")).toBeGreaterThan(names.lastIndexOf("subscribed"));
    const errors = client.events.filter(([event]) => event === "error_message").map(([, payload]) => payload);
    expect(errors).toMatchObject([
      { code: "invalid_request", topic: "nothing" },
      { code: "job_not_found", topic: "jobs:4294967290" },
    ]);
    const none = open({ auth: { topics: ["nothing"] } });
    expect(await none.heard("subscription_status")).toMatchObject({ status: "refused", topics: [] });
    const asked = await client.ask("subscribe", { topics: ["scan", "nothing"] });
    expect(asked).toMatchObject({ success: true, topics: ["scan"], refused: [{ topic: "nothing" }] });
  });

  it("resumes all its topics from one number", async () => {
    const first = open();
    await first.heard("subscribed", ({ topic }) => topic === "scan");
    const [seen, ...missed] = take(3);
    await publish("alerts", [seen]);
    const { seq } = await first.heard("event", (payload) => numberOf(payload) === seen);
    first.socket.disconnect();
    await publish("scan", missed);
    const second = open({ auth: { since: seq } });
    expect(await second.heard("resumed", ({ topic }) => topic === "scan")).toMatchObject({ replayed: 2 });
    expect(await second.heard("resumed", ({ topic }) => topic === "alerts")).toMatchObject({ replayed: 0 });
    expect(numbersOf(second)).toEqual(missed);
  });

  it.each([
    [{ topics: 7 }, "auth.topics: "],
    [{ since: "x" }, "auth.since: must be a number, or numbers by topic"],
    [{ since: -1 }, "auth.since: "],
    [{ since: { alerts: "x" } }, "auth.since: "],
    [{ snapshot: 1 }, "auth.snapshot: "],
    [{ token: 1 }, "auth.token: "],
  ])("is told which field of its auth is wrong: %j", async (auth, text) => {
    const client = open({ auth });
    const error = await new Promise<Error>((resolve) => client.socket.once("connect_error", resolve));
    expect(error.message).toContain(text);
    expect(error.message).toBe((error as Error & { data?: { detail: string } }).data?.detail);
  });

  it.each([
    ["a topic that is none", { topics: ["nothing"] }, "invalid_request"],
    ["no topics", {}, "invalid_request"],
    ["a number that is none", { topics: ["alerts"], since: { alerts: "x" } }, "invalid_request"],
    ["a job of nobody", { topics: ["jobs:4294967290"] }, "job_not_found"],
  ])("is told why %s cannot be heard", async (_, payload, code) => {
    const client = open();
    await client.heard("connection_status");
    expect(await client.ask("subscribe", payload)).toMatchObject({
      success: false,
      code,
      detail: expect.any(String),
    });
    expect(await client.heard("error_message")).toMatchObject({ code });
    expect(client.socket.connected).toBe(true);
  });

  it("is let go when it sends more than 64 KiB at once", async () => {
    const client = open();
    await client.heard("connection_status");
    const gone = new Promise((resolve) => client.socket.once("disconnect", resolve));
    client.socket.emit("subscribe", { topics: ["x".repeat(100_000)] });
    await gone;
  });

  it("is not admitted from a foreign page", async () => {
    const client = open({ extraHeaders: { origin: "https://evil.example" } });
    const error = await new Promise<Error>((resolve) => client.socket.once("connect_error", resolve));
    expect(error.message).toMatch(/websocket error|not accepted/);
    const answer = await fetch(`${address}/socket.io/?EIO=4&transport=polling`, {
      headers: { origin: "https://evil.example" },
    });
    expect(answer.status).toBe(403);
  });

  it("leaves the other sockets of the port as they are", async () => {
    open();
    const socket = await openSocket(address);
    await socket.heard(({ type }) => type === "welcome");
    await socket.close();
    const connected = (await program.call("/api/stats/system")).json().data.sockets.clients;
    expect(connected).toBeGreaterThanOrEqual(0);
  });
});

describe("a server with keys", () => {
  let keyed: TestProgram;
  let url: string;
  beforeAll(async () => {
    keyed = await startTestProgram({ environment: KEYED });
    url = await keyed.listen();
  });
  afterAll(() => keyed.close());

  const errorOf = (client: Heard) =>
    new Promise<Error & { data?: { code: string } }>((resolve) =>
      client.socket.once("connect_error", resolve),
    );

  it("admits by a key in auth or a header and by a ticket, and nobody else", async () => {
    const key = await keyFor(keyed, "vera", "viewer");
    const headers = { "x-api-key": key };
    const ticket = (await keyed.call({ method: "POST", url: "/api/auth/ws-ticket", headers })).json().data
      .token;
    for (const options of [{ auth: { token: key } }, { extraHeaders: headers }, { auth: { ticket } }]) {
      await open(options, url).heard("connection_status");
    }
    for (const options of [{}, { auth: { token: "tx_wrong" } }, { auth: { ticket } }]) {
      expect((await errorOf(open(options, url))).data?.code).toBe("unauthenticated");
    }
    expect((await errorOf(open({ auth: { topics: 7 } }, url))).data?.code).toBe("invalid_request");
  });
});

describe("how many clients of Socket.IO there are", () => {
  const handshake = (url: string, ip: string) =>
    fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers: { "x-forwarded-for": ip } });
  const messageOf = async (answer: Response) => ((await answer.json()) as { message: string }).message;
  const from = (url: string, ip: string) => open({ extraHeaders: { "x-forwarded-for": ip } }, url);

  it("403 beyond the limit of all and of an address, and none when one has gone", async () => {
    const small = await startTestProgram({
      environment: { TRUST_PROXY_HOPS: "1" },
      sockets: { clients: 3, clientsAnAddress: 2 },
    });
    const url = await small.listen();
    const [first] = [from(url, "203.0.113.1"), from(url, "203.0.113.1")];
    await first.heard("connection_status");
    await expect.poll(() => small.parts.health.socketClients()).toBe(2);
    const refused = await handshake(url, "203.0.113.1");
    expect(refused.status).toBe(403);
    expect(await messageOf(refused)).toContain("At most 2 connections an address");
    await from(url, "2001:db8::1").heard("connection_status");
    expect(await messageOf(await handshake(url, "203.0.113.2"))).toContain("Too many clients");
    first.socket.disconnect();
    await expect.poll(() => small.parts.health.socketClients()).toBe(2);
    await from(url, "203.0.113.1").heard("connection_status");
    await small.close();
  });

  it("403 beyond the handshakes of a minute, by address", async () => {
    const busy = await startTestProgram({
      environment: { TRUST_PROXY_HOPS: "1", RATE_LIMIT_MULTIPLIER: "0.01" },
    });
    const url = await busy.listen();
    for (let n = 0; n < 6; n++) expect((await handshake(url, "203.0.113.1")).status).toBe(200);
    const refused = await handshake(url, "203.0.113.1");
    expect(refused.status).toBe(403);
    expect(await messageOf(refused)).toContain("More than 6 connections within a minute");
    expect((await handshake(url, "203.0.113.2")).status).toBe(200);
    await busy.close();
  });
});

import { EventEmitter } from "node:events";
import { Alpaca } from "alpaca-client";
import Alpaca3 from "alpaca-client-3/dist/alpaca-trade-api.js";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { WebSocket } from "ws";
import { ensure } from "../../src/core/base/assert.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import { tradeHeard } from "../../src/features/candles/live.js";
import { noticeHeard } from "../../src/platform/event-log.js";
import { JSON_CODEC } from "../../src/protocols/alpaca/codec.js";
import {
  CONNECTION_SETTINGS,
  type Connection,
  createConnections,
} from "../../src/protocols/alpaca/connection.js";
import { type AlpacaProgram, startAlpacaProgram } from "../fixtures/alpaca.js";
import { type DialectSocket, openDialectSocket } from "../fixtures/alpaca-socket.js";

let alpaca: AlpacaProgram;
beforeAll(async () => {
  alpaca = await startAlpacaProgram({
    alpacaSockets: { lookEveryMs: 30, loginMs: 1_000, pingEveryMs: 200, silenceMs: 600_000 },
  });
});
afterAll(() => alpaca.program.close());

async function open(
  path: string,
  options: Parameters<typeof openDialectSocket>[1] = {},
): Promise<DialectSocket> {
  const socket = await openDialectSocket(`${alpaca.url}${path}`, options);
  onTestFinished(async () => {
    socket.socket.close();
    await socket.closed;
  });
  return socket;
}

const login = () => ({ action: "auth", key: alpaca.key.id, secret: alpaca.key.secret });
const isError = (code: number) => (message: Record<string, unknown>) =>
  message.T === "error" && message.code === code;
const is = (T: string) => (message: Record<string, unknown>) => message.T === T;

async function openIn(path = "/v2/iex", options: Parameters<typeof openDialectSocket>[1] = {}) {
  const socket = await open(path, options);
  socket.send(login());
  await socket.heard((message) => message.msg === "authenticated");
  return socket;
}

const AAPL = ensure(classifySymbol("AAPL"), "AAPL");
const tellTrade = (price: number, size: number | null = 10) =>
  alpaca.program.parts.bus.publish(tradeHeard, {
    instrument: AAPL,
    name: "AAPL",
    source: "test",
    price,
    size,
    time: alpaca.clock.now(),
  });
const tellMinute = (timestamp: string, close: number) =>
  alpaca.program.parts.bus.publish(noticeHeard, {
    topic: "candles:AAPL:1m",
    payload: { timestamp, open: 1, high: 9, low: 1, close, volume: 100, source: "test", synthetic: true },
  });

describe.each([{ msgpack: false }, { msgpack: true }])(
  "the stream of prices, msgpack: $msgpack",
  (options) => {
    it("tells trades, minutes and what became of them, labelled as invented", async () => {
      const socket = await openIn("/v2/iex", options);
      expect(socket.messages.slice(0, 2)).toEqual([
        { T: "success", msg: "connected" },
        { T: "success", msg: "authenticated" },
      ]);
      socket.send({ action: "subscribe", trades: ["AAPL"], bars: ["*"], updatedBars: ["AAPL"] });
      expect(await socket.heard(is("subscription"))).toEqual({
        T: "subscription",
        trades: ["AAPL"],
        quotes: [],
        bars: ["*"],
        updatedBars: ["AAPL"],
        dailyBars: [],
        statuses: [],
        lulds: [],
        corrections: [],
        cancelErrors: [],
      });
      const at = (text: string) => (options.msgpack ? new Date(text) : new Date(text).toISOString());
      tellTrade(201.5);
      const trade = await socket.heard((message) => message.T === "t" && message.p === 201.5);
      const now = new Date(alpaca.clock.now()).toISOString();
      expect(trade).toEqual({
        T: "t",
        S: "AAPL",
        p: 201.5,
        s: 10,
        ...{ i: null, x: null, c: null, z: null },
        t: at(now),
        synthetic: true,
      });
      const minute = options.msgpack ? "2031-07-09T15:05:00Z" : "2031-07-09T15:04:00Z";
      tellMinute(minute, 5);
      tellMinute(minute, 5);
      tellMinute(minute, 6);
      const updated = await socket.heard(is("u"));
      const bar = { S: "AAPL", o: 1, h: 9, l: 1, v: 100, n: null, vw: null, t: at(minute), synthetic: true };
      expect(socket.messages.filter(is("b"))).toEqual([{ ...bar, T: "b", c: 5 }]);
      expect(updated).toEqual({ ...bar, T: "u", c: 6 });
      socket.send({ action: "unsubscribe", trades: ["AAPL"], bars: ["*"] });
      const left = (message: Record<string, unknown>) =>
        is("subscription")(message) && String(message.trades) === "";
      expect(await socket.heard(left)).toMatchObject({ bars: [], updatedBars: ["AAPL"] });
      tellTrade(203);
      tellMinute("2031-07-09T15:06:00Z", 5);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(socket.messages.filter(is("b"))).toHaveLength(1);
      expect(socket.messages.filter((message) => message.p === 203)).toEqual([]);
    });
  },
);

describe("the stream of prices", () => {
  it("looks at what is told by nobody: bars as they close, days as they go on, and nothing from before", async () => {
    const socket = await openIn("/v1beta3/crypto/us");
    socket.send({ action: "subscribe", bars: ["BTC/USD"], dailyBars: ["BTC/USD"], trades: ["BTC/USD"] });
    await socket.heard(is("subscription"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(socket.messages.filter((message) => message.S !== undefined)).toEqual([]);
    const minute = new Date(Math.floor(alpaca.clock.now() / 60_000) * 60_000).toISOString();
    alpaca.clock.advance(60_000);
    const bar = await socket.heard(is("b"));
    expect(bar).toMatchObject({ S: "BTC/USD", t: minute, o: expect.any(Number), v: expect.any(Number) });
    // The first look at the day is what its changes are told against.
    await vi.waitFor(
      () => {
        alpaca.clock.advance(60_000);
        expect(socket.messages.filter(is("d"))).not.toEqual([]);
        expect(socket.messages.filter(is("t"))).not.toEqual([]);
      },
      { timeout: 15_000, interval: 300 },
    );
    const day = await socket.heard(is("d"));
    expect(day).toMatchObject({ S: "BTC/USD", t: `${minute.slice(0, 10)}T00:00:00.000Z` });
  });

  it("knows who one is from the headers of the handshake", async () => {
    const socket = await open("/v2/sip", { headers: { ...alpaca.headers } });
    await socket.heard((message) => message.msg === "authenticated");
    socket.send(login());
    expect(await socket.heard(isError(403))).toMatchObject({ msg: "already authenticated" });
  });

  it("answers with codes what it does not do", async () => {
    const stranger = await open("/v2/iex");
    stranger.send({ action: "subscribe", bars: ["AAPL"] });
    await stranger.heard(isError(401));
    stranger.socket.send("{");
    await stranger.heard(isError(400));
    stranger.send({ ...login(), secret: "x".repeat(40) });
    await stranger.heard(isError(402));
    expect(await stranger.closed).toBe(1008);

    const socket = await openIn();
    socket.send({ action: "subscribe", lulds: ["AAPL"] });
    await socket.heard(isError(409));
    socket.send({ action: "subscribe", bars: Array.from({ length: 31 }, (_, i) => `A${i}`) });
    await socket.heard(isError(405));
    socket.send({ action: "subscribe", bars: "AAPL" });
    socket.send({ action: "dance" });
    await vi.waitFor(() => expect(socket.messages.filter(isError(400))).toHaveLength(2), { timeout: 15_000 });
    const second = await open("/v2/iex");
    second.send(login());
    await second.heard(isError(406));
    expect(await second.closed).toBe(1008);
    // On another market there is room.
    await openIn("/v1beta3/crypto/us");
  });

  it("ends for those who do not say in time who they are, and for keys that are revoked", async () => {
    const silent = await open("/v2/iex");
    await silent.heard(isError(404));
    expect(await silent.closed).toBe(1008);
    const payload = { name: "short" };
    const made = (await alpaca.program.call({ method: "POST", url: "/api/auth/keys", payload })).json().data;
    const socket = await open("/v2/iex");
    socket.send({ action: "auth", key: made.id, secret: made.key });
    await socket.heard((message) => message.msg === "authenticated");
    await alpaca.program.call({ method: "DELETE", url: `/api/auth/keys/${made.id}` });
    // What a key stood for is believed for a second, also where it was asked just before.
    let code: number | null = null;
    void socket.closed.then((closed) => {
      code = closed;
    });
    await vi.waitFor(
      () => {
        alpaca.clock.advance(1_100);
        expect(code).toBe(1008);
      },
      { timeout: 10_000, interval: 300 },
    );
  });

  it("lets go of those who do not read what they are told, having said so", () => {
    const connections = createConnections({
      ...alpaca.program.parts,
      settings: CONNECTION_SETTINGS,
      stands: async () => true,
    });
    onTestFinished(() => connections.close());
    const sent: unknown[] = [];
    const socket = Object.assign(new EventEmitter(), {
      OPEN: 1,
      readyState: 1,
      bufferedAmount: 0,
      send: (frame: string) => void sent.push(...JSON.parse(frame)),
      close() {
        this.readyState = 2;
      },
    });
    const opened: Connection[] = [];
    const of = { ip: "127.0.0.1", principal: null, codec: JSON_CODEC };
    connections.attach(socket as unknown as WebSocket, of, (connection) => {
      opened.push(connection);
      const slow = () => connection.send([{ T: "error", code: 407 }]);
      return { hear: async () => undefined, slow, end: () => undefined };
    });
    const [{ send }] = opened;
    send([1]);
    socket.bufferedAmount = CONNECTION_SETTINGS.backlogBytes + 1;
    send([2]);
    send([3]);
    expect(sent).toEqual([1, { T: "error", code: 407 }]);
    expect(socket.readyState).toBe(2);
  });
});

describe("the official clients", () => {
  /** Tells trades, then a minute, until a client has heard both: clients say that they have subscribed before they have. */
  const told = (heard: readonly unknown[], price: number, year: number) => {
    const patience = { timeout: 10_000, interval: 100 };
    const hears = (wanted: unknown) => expect(heard).toContainEqual(wanted);
    return {
      trade: (wanted: unknown) =>
        vi.waitFor(() => {
          tellTrade(price);
          hears(wanted);
        }, patience),
      minute: (wanted: unknown) => {
        tellMinute(`${year}-07-09T15:04:00Z`, 7);
        return vi.waitFor(() => hears(wanted), patience);
      },
    };
  };

  it("4.0.2 hears prices in msgpack", async () => {
    const client = new Alpaca({ keyId: alpaca.key.id, secret: alpaca.key.secret });
    const stream = client.marketData.stockStream({ url: `${alpaca.url.replace("http", "ws")}/v2/iex` });
    onTestFinished(() => void stream.disconnect());
    const heard: unknown[] = [];
    stream.onTrade((trade) => heard.push(trade));
    stream.onBar((bar) => heard.push(bar));
    stream.onConnect(() => {
      stream.subscribeForTrades(["AAPL"]);
      stream.subscribeForBars(["AAPL"]);
    });
    stream.connect();
    const { trade, minute } = told(heard, 211, 2032);
    await trade(expect.objectContaining({ symbol: "AAPL", price: 211, size: 10 }));
    await minute(expect.objectContaining({ symbol: "AAPL", close: 7, volume: 100 }));
  });

  it("3.1.3 hears prices in msgpack", async () => {
    const client = new Alpaca3({ keyId: alpaca.key.id, secretKey: alpaca.key.secret, baseUrl: alpaca.url });
    const stream = client.data_stream_v2;
    // It would insist on TLS.
    stream.session.url = `${alpaca.url.replace("http", "ws")}/v2/iex`;
    onTestFinished(() => stream.disconnect());
    const heard: unknown[] = [];
    stream.onStockTrade((trade) => heard.push(trade));
    stream.onStockBar((bar) => heard.push(bar));
    stream.onConnect(() => {
      stream.subscribeForTrades(["AAPL"]);
      stream.subscribeForBars(["AAPL"]);
    });
    stream.connect();
    const { trade, minute } = told(heard, 212, 2033);
    const Timestamp = new Date(alpaca.clock.now());
    await trade(expect.objectContaining({ Symbol: "AAPL", Price: 212, Timestamp }));
    const opened = new Date("2033-07-09T15:04:00Z");
    await minute(expect.objectContaining({ Symbol: "AAPL", ClosePrice: 7, Timestamp: opened }));
  });

  /** Places orders far from the market until a client has heard of one: it listens a moment after it was told to. */
  async function heardOf(heard: readonly unknown[]): Promise<void> {
    await vi.waitFor(async () => {
      const payload = {
        symbol: "AAPL",
        qty: "1",
        side: "buy",
        type: "limit",
        time_in_force: "day",
        limit_price: "1.5",
      };
      const { headers } = alpaca;
      const placed = await alpaca.program.call({ method: "POST", url: "/v2/orders", payload, headers });
      expect(placed.statusCode).toBe(200);
      const order = expect.objectContaining({ symbol: "AAPL", status: "new", limit_price: "1.5" });
      try {
        await vi.waitFor(
          () => expect(heard).toContainEqual(expect.objectContaining({ event: "new", order })),
          500,
        );
      } catch (error) {
        // Few orders may be open at a time, and the client may have begun to listen just after this one.
        await alpaca.program.call({ method: "DELETE", url: `/v2/orders/${placed.json().id}`, headers });
        throw error;
      }
    }, 10_000);
  }

  it("4.0.2 hears of orders", async () => {
    const client = new Alpaca({ keyId: alpaca.key.id, secret: alpaca.key.secret });
    const stream = client.trading.stream({ url: `${alpaca.url.replace("http", "ws")}/stream` });
    onTestFinished(() => void stream.disconnect());
    const heard: unknown[] = [];
    stream.onTradeUpdate((each) => heard.push(each));
    stream.subscribeTradeUpdates();
    stream.connect();
    await heardOf(heard);
  });

  it("3.1.3 hears of orders", async () => {
    const client = new Alpaca3({ keyId: alpaca.key.id, secretKey: alpaca.key.secret, baseUrl: alpaca.url });
    const stream = client.trade_ws;
    onTestFinished(() => stream.disconnect());
    const heard: unknown[] = [];
    stream.onOrderUpdate((each: unknown) => heard.push(each));
    stream.onConnect(() => stream.subscribe(["trade_updates"]));
    stream.connect();
    await heardOf(heard);
  });
});

describe("the stream of orders", () => {
  it.each([{ msgpack: false }, { msgpack: true }])(
    "says who one is, and to what one listens: %o",
    async (options) => {
      const socket = await open("/stream", options);
      socket.send({ action: "listen", data: { streams: ["trade_updates"] } });
      const unauthorized = { stream: "authorization", data: { status: "unauthorized", action: "listen" } };
      await socket.heard(({ stream }) => stream === "authorization");
      expect(socket.messages).toEqual([unauthorized]);
      socket.send(login());
      await socket.heard(({ data }) => (data as { status: string }).status === "authorized");
      socket.send({ action: "listen", data: { streams: ["trade_updates", "account_updates"] } });
      expect(await socket.heard(({ stream }) => stream === "listening")).toEqual({
        stream: "listening",
        data: { streams: ["trade_updates"] },
      });
      socket.send({ action: "dance" });
      await socket.heard(({ action }) => action === "error");
    },
  );

  it("ends for whoever has a wrong key", async () => {
    const socket = await open("/stream");
    const data = { key_id: alpaca.key.id, secret_key: "x".repeat(40) };
    socket.send({ action: "authenticate", data });
    await socket.heard(({ stream }) => stream === "authorization");
    expect(socket.messages).toEqual([
      { stream: "authorization", data: { status: "unauthorized", action: "authenticate" } },
    ]);
    expect(await socket.closed).toBe(1008);
  });

  it.each(["/stream", "/v2/iex"])("426 for requests of %s that are no handshake", async (url) => {
    const answer = await alpaca.program.call(url);
    expect(answer.statusCode).toBe(426);
    expect(answer.json()).toEqual({ code: 42610000, message: "Send a WebSocket handshake" });
  });
});

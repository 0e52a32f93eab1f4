import { Writer } from "protobufjs/minimal.js";
import { describe, expect, it } from "vitest";
import { createHttpClient } from "../../src/platform/http-client.js";
import { ProviderError } from "../../src/providers/define.js";
import { finnhubSymbol } from "../../src/providers/finnhub-symbols.js";
import { finnhubStream } from "../../src/providers/stream-finnhub.js";
import { polygonStream } from "../../src/providers/stream-polygon.js";
import { upstoxStream } from "../../src/providers/stream-upstox.js";
import {
  AAPL,
  BTC,
  finnhubTrade,
  instrument,
  KEY,
  until,
  useStreamVendor,
} from "../fixtures/stream-vendor.js";

const stand = useStreamVendor();

describe("a stream", () => {
  const finnhub = () => finnhubStream({ baseUrl: stand.vendor.url, key: KEY });

  it("subscribes to what is followed, before and after it stands, and hands trades on", async () => {
    const { client, trades } = stand.follow(finnhub());
    client.follow([AAPL, instrument("TCS.NS")]);
    client.start();
    await until(() => stand.vendor.heard.length === 1, "first subscription");
    client.follow([BTC, AAPL]);
    await until(() => stand.vendor.heard.length === 2, "second subscription");
    expect(stand.vendor.heard.map((text) => JSON.parse(text))).toEqual([
      { type: "subscribe", symbol: "AAPL" },
      { type: "subscribe", symbol: "COINBASE:BTC-USD" },
    ]);
    expect(stand.vendor.addresses).toEqual([`/?token=${KEY}`]);
    stand.vendor.sockets[0].send(finnhubTrade(190.5));
    await until(() => trades.length === 1, "trade");
    expect(trades[0]).toEqual({
      instrument: AAPL,
      source: "finnhub",
      name: "AAPL",
      price: 190.5,
      size: 10,
      time: 1_700_000_000_000,
    });
    expect(client.health()).toMatchObject({ connected: true, followed: [AAPL, BTC], reconnects: 0 });
  });

  it("names instruments as quotes and candles do: coins in dollars are no coins in tethers", () => {
    const symbols = ["BTC-USD", "BTC-USDT", "ETH-EUR", "EURUSD=X", "BRK.B", "TCS.NS", "^GSPC"];
    const names = symbols.map((symbol) => finnhub().nameOf(instrument(symbol)));
    expect(names).toEqual(symbols.map((symbol) => finnhubSymbol(instrument(symbol))));
    expect(names.slice(0, 2)).toEqual(["COINBASE:BTC-USD", "BINANCE:BTCUSDT"]);
    expect(names.slice(-2)).toEqual([null, null]);
  });

  it("that is lost comes back, subscribes again, and says which time was not heard", async () => {
    const { client, trades, gaps } = stand.follow(finnhub());
    client.follow([AAPL]);
    client.start();
    await until(() => client.health().connected, "connection");
    stand.vendor.sockets[0].send(finnhubTrade(1));
    await until(() => trades.length === 1, "trade");
    stand.vendor.sockets[0].terminate();
    await until(() => gaps.length === 1, "gap");
    expect(gaps[0].symbols).toEqual(["AAPL"]);
    expect(gaps[0].toMs).toBeGreaterThan(gaps[0].fromMs);
    await until(() => stand.vendor.heard.length === 2, "second subscription");
    stand.vendor.sockets[1].send(finnhubTrade(2));
    await until(() => trades.length === 2, "trade after it");
    expect(client.health()).toMatchObject({ connected: true, reconnects: 1 });
  });

  it("that falls silent without closing is given up and opened anew", async () => {
    // The vendor's side is there and says nothing, not even to pings.
    stand.vendor.onSocket = (socket) => {
      (socket as unknown as { pong: () => void }).pong = () => undefined;
      (socket as unknown as { _autoPong: boolean })._autoPong = false;
    };
    const { client, gaps } = stand.follow(finnhub());
    client.follow([AAPL]);
    client.start();
    await until(() => stand.vendor.sockets.length >= 2 && gaps.length >= 1, "second connection");
    expect(client.health().reconnects).toBeGreaterThanOrEqual(1);
    expect(client.health().lastError).toMatch(/^nothing heard for \d+ ms$/);
  });

  it("that is only quiet is asked whether it is there, and kept", async () => {
    const { client } = stand.follow(finnhub());
    client.follow([AAPL]);
    client.start();
    await until(() => client.health().connected, "connection");
    let pings = 0;
    stand.vendor.sockets[0].on("ping", () => pings++);
    await until(() => pings >= 4, "pings");
    expect(client.health()).toMatchObject({ connected: true, reconnects: 0 });
    expect(stand.vendor.sockets).toHaveLength(1);
  });

  it("survives frames that are nonsense, and tells no key", async () => {
    const { client, trades, lines } = stand.follow(finnhub());
    client.follow([AAPL]);
    client.start();
    await until(() => client.health().connected, "connection");
    const [socket] = stand.vendor.sockets;
    for (const frame of ["", "{", "[]", "null", '{"type":"trade"}', "ä".repeat(1_000)]) socket.send(frame);
    socket.send(Buffer.from([0xff, 0x00, 0x01]));
    socket.send(JSON.stringify({ type: "error", msg: `Invalid symbol for ${KEY}` }));
    for (const price of [0, -1]) socket.send(finnhubTrade(price));
    socket.send(finnhubTrade(5));
    await until(() => trades.length === 1, "sound trade");
    expect(client.health()).toMatchObject({ connected: true, reconnects: 0 });
    expect(JSON.stringify([client.health(), lines()])).not.toContain(KEY);
  });

  it("waits longer after each failed attempt, and is not told of its address", async () => {
    const { client, lines } = stand.follow(finnhubStream({ baseUrl: "ws://127.0.0.1:1", key: KEY }));
    client.follow([AAPL]);
    client.start();
    await until(() => lines().length >= 4, "four failures");
    const waits = lines().map((line) => (JSON.parse(line) as { waitMs: number }).waitMs);
    expect(waits.slice(0, 4)).toEqual([15, 30, 60, 75]);
    expect(lines().join("")).not.toContain(KEY);
  });

  it("stops for good", async () => {
    const { client } = stand.follow(finnhub());
    client.start();
    await until(() => client.health().connected, "connection");
    client.stop();
    await until(() => stand.vendor.sockets[0].readyState === 3, "end");
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(stand.vendor.sockets).toHaveLength(1);
    expect(client.health().connected).toBe(false);
  });
});

describe("Polygon's stream", () => {
  const status = (name: string, message = name) => JSON.stringify([{ ev: "status", status: name, message }]);
  const polygon = (cluster: "stocks" | "crypto" = "stocks") =>
    polygonStream({ baseUrl: stand.vendor.url, key: KEY, cluster });

  it("authenticates, subscribes only then, and takes trades", async () => {
    const { client, trades } = stand.follow(polygon());
    client.follow([AAPL, instrument("BRK.B"), BTC, instrument("TCS.NS")]);
    client.start();
    await until(() => stand.vendor.heard.length === 1, "authentication");
    expect(JSON.parse(stand.vendor.heard[0])).toEqual({ action: "auth", params: KEY });
    stand.vendor.sockets[0].send(status("connected", "Connected Successfully"));
    stand.vendor.sockets[0].send(status("auth_success", "authenticated"));
    await until(() => stand.vendor.heard.length === 2, "subscription");
    expect(JSON.parse(stand.vendor.heard[1])).toEqual({ action: "subscribe", params: "T.AAPL,T.BRK.B" });
    stand.vendor.sockets[0].send(
      JSON.stringify([
        { ev: "T", sym: "AAPL", x: 4, i: "12345", z: 3, p: 114.125, s: 100, c: [0, 12], t: 1536036818784 },
        { ev: "Q", sym: "AAPL", bp: 114.1, ap: 114.2, t: 1536036818784 },
      ]),
    );
    await until(() => trades.length === 1, "trade");
    expect(trades[0]).toMatchObject({
      price: 114.125,
      size: 100,
      time: 1536036818784,
      source: "polygon-stocks",
    });
    expect(stand.vendor.addresses).toEqual(["/stocks"]);
  });

  it("waits long after a key that is refused", async () => {
    stand.vendor.onSocket = (socket) => socket.send(status("auth_failed", `no such key ${KEY}`));
    const { client, lines } = stand.follow(polygon("crypto"));
    client.follow([BTC]);
    client.start();
    await until(() => lines().length >= 1, "refusal");
    expect((JSON.parse(lines()[0]) as { waitMs: number }).waitMs).toBe(400);
    expect(lines().join("") + client.health().lastError).not.toContain(KEY);
    expect(stand.vendor.heard.filter((text) => text.includes("subscribe"))).toEqual([]);
  });

  it("reads coins of their own cluster", () => {
    const protocol = polygon("crypto");
    expect(protocol.nameOf(BTC)).toBe("BTC-USD");
    expect(protocol.nameOf(AAPL)).toBeNull();
    const frame = JSON.stringify([
      { ev: "XT", pair: "BTC-USD", p: 33021.9, t: 1610462007425, s: 0.01616617 },
    ]);
    expect(protocol.read(frame).trades).toEqual([
      { name: "BTC-USD", price: 33021.9, size: 0.01616617, time: 1610462007425 },
    ]);
  });
});

describe("Upstox' stream", () => {
  type Field = (writer: Writer) => Writer;
  const message = (...fields: Field[]) =>
    fields.reduce((writer, field) => field(writer), Writer.create()).finish();
  const nested =
    (id: number, body: Uint8Array): Field =>
    (writer) =>
      writer.uint32((id << 3) | 2).bytes(body);
  const double =
    (id: number, value: number): Field =>
    (writer) =>
      writer.uint32((id << 3) | 1).double(value);
  const int =
    (id: number, value: number): Field =>
    (writer) =>
      writer.uint32(id << 3).int64(value);
  const text =
    (id: number, value: string): Field =>
    (writer) =>
      writer.uint32((id << 3) | 2).string(value);

  const NIFTY = "NSE_INDEX|Nifty 50";
  const last = message(double(1, 23_593.5), int(2, 1_718_876_400_000), int(3, 75), double(4, 23_500));
  const entry = (key: string, feed: Uint8Array) => nested(2, message(text(1, key), nested(2, feed)));
  const response = (kind: number, ...feeds: Field[]) =>
    message(int(1, kind), ...feeds, int(3, 1_718_876_400_100));
  const protocolOf = (baseUrl: string) =>
    upstoxStream({
      baseUrl,
      token: KEY,
      http: createHttpClient({ timeoutMs: 2_000, limitBytes: 100_000, userAgent: "test" }),
      now: Date.now,
      nameOf: ({ symbol }) => (symbol === "^NSEI" ? NIFTY : null),
    });
  const expected = { name: NIFTY, price: 23_593.5, size: 75, time: 1_718_876_400_000 };

  it("asks for an address, subscribes in binary and decodes protocol buffers", async () => {
    stand.vendor.http.on("request", (request, answer) => {
      const well = request.headers.authorization === `Bearer ${KEY}`;
      answer.writeHead(well ? 200 : 401, { "content-type": "application/json" });
      answer.end(
        JSON.stringify({
          status: "success",
          data: { authorized_redirect_uri: `${stand.vendor.url}/feed?code=1` },
        }),
      );
    });
    const { client, trades } = stand.follow(protocolOf(stand.vendor.url.replace("ws:", "http:")));
    client.follow([instrument("^NSEI"), AAPL]);
    client.start();
    await until(() => stand.vendor.heard.length === 1, "subscription");
    expect(JSON.parse(stand.vendor.heard[0])).toMatchObject({
      method: "sub",
      data: { mode: "ltpc", instrumentKeys: [NIFTY] },
    });
    stand.vendor.sockets[0].send(response(1, entry(NIFTY, message(nested(1, last), int(4, 0)))));
    await until(() => trades.length === 1, "trade");
    expect(trades[0]).toMatchObject({ ...expected, source: "upstox" });
    expect(stand.vendor.addresses).toEqual(["/feed?code=1"]);
  });

  it("finds the last trade in each kind of feed, and skips what it does not know", () => {
    const { read } = protocolOf("http://127.0.0.1");
    const unknown: Field[] = [nested(99, message(text(1, "later"))), double(50, 1), int(60, 7)];
    const index = message(nested(2, message(nested(2, message(nested(1, last), ...unknown)))));
    const share = message(nested(2, message(nested(1, message(nested(1, last), double(5, 1), int(6, 2))))));
    const level = message(nested(3, message(nested(1, last), ...unknown)));
    for (const feed of [index, share, level, message(nested(1, last), ...unknown)]) {
      expect(read(response(1, entry(NIFTY, feed), ...unknown)).trades).toEqual([expected]);
    }
    expect(read(response(0, entry(NIFTY, message(nested(1, last))))).trades).toEqual([expected]);
    expect(read(response(2, nested(4, message(text(1, "NSE_EQ"))))).trades).toEqual([]);
    expect(read(response(1, entry(NIFTY, message(int(4, 1))))).trades).toEqual([]);
  });

  it("refuses what is no such message", () => {
    const { read } = protocolOf("http://127.0.0.1");
    const whole = response(1, entry(NIFTY, message(nested(1, last))));
    for (const frame of ["text", whole.subarray(0, whole.length - 20), Uint8Array.of(0x0a, 0xff, 0xff)]) {
      expect(() => read(frame)).toThrow(ProviderError);
    }
  });

  it("is not connected to an address that is none", async () => {
    stand.vendor.http.on("request", (_request, answer) => {
      answer.end(JSON.stringify({ data: { authorized_redirect_uri: "https://example.com/" } }));
    });
    const protocol = protocolOf(stand.vendor.url.replace("ws:", "http:"));
    await expect(protocol.address(new AbortController().signal)).rejects.toThrow("has no WebSocket address");
  });
});

import { Alpaca } from "alpaca-client";
import { io, type Socket } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AlpacaProgram, fetchAt, startAlpacaProgram } from "../fixtures/alpaca.js";
import { openEventSource, type TestEventSource } from "../fixtures/event-source.js";
import { connectMcp, type McpCaller, SPEAKERS } from "../fixtures/mcp.js";
import { ROOMY } from "../fixtures/roomy-settings.js";
import { openSocket, type TestSocket } from "../fixtures/socket.js";
import { createUdfClient, type UdfClient } from "../fixtures/udf-client.js";

/** By when each client saw a thing, by the name of the client; on the clock of this process. */
type Seen = Map<string, Map<string, number>>;

let alpaca: AlpacaProgram;
let account: string;
let broker: Alpaca;
let native: TestSocket;
let socket: Socket;
let source: TestEventSource;
let charts: UdfClient;
const callers: McpCaller[] = [];
const alerts: Seen = new Map();
const orders: Seen = new Map();

function see(seen: Seen, client: string, id: unknown): void {
  const known = seen.get(client) ?? new Map<string, number>();
  seen.set(client, known);
  if (!known.has(String(id))) known.set(String(id), performance.now());
}

/** What a frame of the stream tells of alerts and orders. */
function take(client: string, frame: unknown): void {
  const { type, topic, data } = frame as {
    type: string;
    topic: string;
    data: { kind?: string; alert?: { id: number }; orderId?: string; event?: string };
  };
  if (type !== "event") return;
  if (topic === "alerts" && data.kind === "created") see(alerts, client, data.alert?.id);
  if (topic.startsWith("account:") && data.event === "filled") see(orders, client, data.orderId);
}

/** Asks until something is there, for a second at most. */
async function within<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  const deadline = performance.now() + 1_000;
  for (;;) {
    const found = await ask();
    if (found !== undefined || performance.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

beforeAll(async () => {
  alpaca = await startAlpacaProgram({
    environment: { SCAN_INTERVALS: "1h,1d", ALERT_CONFIDENCE_THRESHOLD: "0", ALERT_DEDUPE_MINUTES: "0" },
  });
  const { url, key, program } = alpaca;
  await program.call({ method: "POST", url: "/api/risk-settings", payload: ROOMY });
  broker = new Alpaca({
    keyId: key.id,
    secret: key.secret,
    retry: false,
    fetchApi: fetchAt(url, async () => undefined),
  });
  account = String((await broker.trading.account.getAccount()).id);
  const topics = ["alerts", `account:${account}`];
  native = await openSocket(url, {
    headers: { "x-api-key": key.secret },
    query: `topics=${topics.join(",")}`,
  });
  native.socket.on("message", (data) => take("native", JSON.parse(String(data))));
  const headers = { "x-api-key": key.secret };
  source = await openEventSource(url, `/api/events?topics=${topics.join(",")}`, headers, ({ data }) =>
    take("server-sent events", data),
  );
  socket = io(url, { transports: ["websocket"], forceNew: true, auth: { token: key.secret } });
  socket.on("new_alert", ({ id }: { id: number }) => see(alerts, "Socket.IO", id));
  socket.on("trade_executed", ({ order_id }: { order_id: string }) => see(orders, "Socket.IO", order_id));
  await new Promise<void>((resolve) => socket.once("connection_status", () => resolve()));
  await socket.timeout(5_000).emitWithAck("subscribe_portfolio");
  await native.heard(({ type, topic }) => type === "subscribed" && topic === `account:${account}`);
  await source.heard(({ type }) => type === "stream");
  for (const speaker of SPEAKERS) callers.push(await connectMcp(speaker, url, key.secret));
  const read = async (path: string) => (await fetch(`${url}${path}`)).text();
  charts = createUdfClient(read, program.parts.clock.now);
}, 120_000);
afterAll(async () => {
  for (const caller of callers) await caller.close();
  socket.disconnect();
  source.cut();
  await native.close();
  await alpaca.program.close();
});

/** Every client of a stream has the same, none a second after another. */
function expectTogether(seen: Seen, clients: readonly string[]): readonly string[] {
  const ids = [...(seen.get(clients[0])?.keys() ?? [])];
  for (const client of clients) expect([...(seen.get(client)?.keys() ?? [])], client).toEqual(ids);
  for (const id of ids) {
    const times = clients.map((client) => seen.get(client)?.get(id) ?? Number.POSITIVE_INFINITY);
    expect(Math.max(...times) - Math.min(...times), id).toBeLessThan(1_000);
  }
  return ids;
}

const STREAMS = ["native", "server-sent events", "Socket.IO"];

describe("clients of five protocols", () => {
  it("see the same alerts, within a second of each other", async () => {
    const { scanner, clock } = alpaca.program.parts;
    await scanner.start({});
    await scanner.loop.run(clock.now(), new AbortController().signal);
    await scanner.stop();
    await expect
      .poll(() => STREAMS.map((client) => alerts.get(client)?.size ?? 0).filter((n) => n > 0).length)
      .toBe(3);
    const sizes = () => new Set(STREAMS.map((client) => alerts.get(client)?.size));
    await expect.poll(() => sizes().size).toBe(1);
    const ids = expectTogether(alerts, STREAMS);
    const newest = Math.max(...ids.map(Number));
    for (const caller of callers) {
      const found = await within(async () => {
        const { alerts: rows } = await caller.call("list_alerts", { limit: 50 });
        return (rows as { alert_id: number; symbol: string; bar_time: string }[]).find(
          (row) => row.alert_id === newest,
        );
      });
      expect(found, caller.speaker).toBeDefined();
    }
    const { data } = (await alpaca.program.call(`/api/alerts/${newest}`)).json();
    const time = Date.parse(data.bar_time) / 1_000;
    const resolution = data.interval === "1d" ? "1D" : "60";
    const mark = await within(async () => {
      const marks = await charts.marks(data.symbol, resolution, time - 86_400, time + 86_400);
      return marks.find(({ id }) => String(id) === `alert-${newest}`);
    });
    expect(mark).toMatchObject({ text: expect.stringContaining(data.alert_type) });
  }, 120_000);

  it("see the same order, within a second of each other", async () => {
    const placed = await broker.trading.orders.postOrder({
      postOrderRequest: {
        symbol: "BTC/USD",
        qty: "0.01",
        side: "buy",
        type: "market",
        timeInForce: "gtc",
      } as never,
    });
    const id = String(placed.id);
    await expect.poll(() => STREAMS.filter((client) => orders.get(client)?.has(id)).length).toBe(3);
    expect(expectTogether(orders, STREAMS)).toContain(id);
    const filled = await within(async () => {
      const order = await broker.trading.orders.getOrderByOrderID({ orderId: id });
      return order.status === "filled" ? order : undefined;
    });
    expect(filled?.symbol).toBe("BTC/USD");
    for (const caller of callers) {
      const found = await within(async () => {
        const { orders: rows } = await caller.call("list_orders", { status: "all", account_id: account });
        return (rows as { order_id: string; state: string }[]).find(({ order_id }) => order_id === id);
      });
      expect(found, caller.speaker).toMatchObject({ state: "filled" });
    }
    const { data } = (
      await alpaca.program.call(`/api/paper-trade/orders/${id}?account_id=${account}`)
    ).json();
    expect(data).toMatchObject({ id, symbol: "BTC-USD", filled: 0.01 });
  });
});

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
let updates: ReturnType<Alpaca["trading"]["stream"]>;
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

/** Asks until a client sees a thing, for a second at most, and notes when it did. */
async function within<T>(
  [seen, client, id]: readonly [Seen, client: string, id: unknown],
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = performance.now() + 1_000;
  for (;;) {
    const found = await ask();
    if (found !== undefined) see(seen, client, id);
    if (found !== undefined || performance.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Looks again and again, as clients do that are told nothing by themselves. */
async function keepLooking(signal: AbortSignal, look: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await look();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** None of all who see a thing does so a second after another. */
function expectAtOnce(seen: Seen, id: unknown, clients: readonly string[]): void {
  const times = clients.map((client) => seen.get(client)?.get(String(id)));
  expect(times.filter((time) => time === undefined)).toEqual([]);
  const known = times.map((time) => time ?? Number.NaN);
  expect(Math.max(...known) - Math.min(...known)).toBeLessThan(1_000);
}

beforeAll(async () => {
  alpaca = await startAlpacaProgram({
    environment: {
      SCAN_SYMBOLS: "BTC-USD",
      SCAN_INTERVALS: "1h",
      ALERT_CONFIDENCE_THRESHOLD: "0",
      ALERT_DEDUPE_MINUTES: "0",
    },
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
  updates = broker.trading.stream({ url: `${url.replace("http", "ws")}/stream` });
  updates.onTradeUpdate(({ event, order }) => {
    if (event === "fill") see(orders, "Alpaca", order.id);
  });
  updates.subscribeTradeUpdates();
  updates.connect();
  for (const speaker of SPEAKERS) callers.push(await connectMcp(speaker, url, key.secret));
  const read = async (path: string) => (await fetch(`${url}${path}`)).text();
  charts = createUdfClient(read, program.parts.clock.now);
}, 120_000);
afterAll(async () => {
  for (const caller of callers) await caller.close();
  socket.disconnect();
  updates.disconnect();
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
const ORDER_STREAMS = [...STREAMS, "Alpaca"];

describe("clients of five protocols", () => {
  it("see the same alerts, within a second of each other", async () => {
    const { scanner, clock } = alpaca.program.parts;
    const everybody = [...STREAMS, "charts", ...callers.map(({ speaker }) => speaker)];
    const looking = new AbortController();
    const looks = [
      ...callers.map((caller) =>
        keepLooking(looking.signal, async () => {
          const { alerts: rows } = await caller.call("list_alerts", { limit: 50 });
          for (const { alert_id } of rows as { alert_id: number }[]) see(alerts, caller.speaker, alert_id);
        }),
      ),
      keepLooking(looking.signal, async () => {
        const now = clock.now() / 1_000;
        for (const { id } of await charts.marks("BTC-USD", "60", now - 10 * 86_400, now)) {
          const alert = /^alert-(\d+)$/.exec(String(id))?.[1];
          if (alert !== undefined) see(alerts, "charts", alert);
        }
      }),
    ];
    await scanner.start({});
    await scanner.loop.run(clock.now(), new AbortController().signal);
    await scanner.stop();
    const counts = () => everybody.map((client) => alerts.get(client)?.size ?? 0);
    await expect.poll(() => Math.min(...counts()) > 0 && new Set(counts()).size).toBe(1);
    looking.abort();
    await Promise.all(looks);
    for (const id of expectTogether(alerts, STREAMS)) expectAtOnce(alerts, id, everybody);
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
    const asked = callers.map((caller) =>
      within([orders, caller.speaker, id], async () => {
        const { orders: rows } = await caller.call("list_orders", { status: "all", account_id: account });
        const all = rows as { order_id: string; state: string }[];
        return all.find(({ order_id, state }) => order_id === id && state === "filled");
      }),
    );
    const filled = within([orders, "broker", id], async () => {
      const order = await broker.trading.orders.getOrderByOrderID({ orderId: id });
      return order.status === "filled" ? order : undefined;
    });
    await expect
      .poll(() => ORDER_STREAMS.filter((client) => orders.get(client)?.has(id)))
      .toEqual(ORDER_STREAMS);
    expect(expectTogether(orders, ORDER_STREAMS)).toContain(id);
    expect((await filled)?.symbol).toBe("BTC/USD");
    await Promise.all(asked);
    expectAtOnce(orders, id, [...ORDER_STREAMS, "broker", ...callers.map(({ speaker }) => speaker)]);
    const { data } = (
      await alpaca.program.call(`/api/paper-trade/orders/${id}?account_id=${account}`)
    ).json();
    expect(data).toMatchObject({ id, symbol: "BTC-USD", filled: 0.01 });
  });
});

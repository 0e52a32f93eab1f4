import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { buildApp } from "../src/app.js";
import { compose } from "../src/compose.js";
import { readConfig } from "../src/platform/config.js";
import { at, callsAt } from "./rate.js";
import type { Bench, Figure } from "./time.js";

const RATE = 200;
const SECONDS = 20;
const ORDER_MS = 10;
const TRADES = 10_000;
const READS = 1_000;
const READ_MS = 5;

interface Caller {
  call(method: string, path: string, body?: object): Promise<{ status: number; body: string }>;
  close(): void;
}

function createCaller(url: string): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return {
    call: (method, path, body) =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const headers = text === undefined ? {} : { "content-type": "application/json" };
        const asked = request(`${url}${path}`, { agent, method, headers }, (answer) => {
          let read = "";
          answer.setEncoding("utf8");
          answer.on("data", (part: string) => {
            read += part;
          });
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: read }));
        });
        asked.on("error", reject);
        asked.end(text);
      }),
    close: () => agent.destroy(),
  };
}

/** An account whose owner bought and sold a share ten thousand times over some years. */
function manyTrades(): object[] {
  const start = Date.UTC(2021, 0, 4, 15);
  const blank = { symbol: null, order: null, side: null, quantity: null, price: null, ratio: null, fees: {} };
  const rows: object[] = [
    { ...blank, at: new Date(start).toISOString(), kind: "transfer", amount: 1_000_000 },
  ];
  for (let n = 0; n < TRADES; n++) {
    const price = 100 + (n % 37);
    const sold = price + ((n * 7) % 11) - 5;
    const time = (offset: number) => new Date(start + n * 6_000_000 + offset).toISOString();
    const leg = { ...blank, kind: "fill", symbol: "AAPL", quantity: 10, strategy: `s${n % 5}` };
    rows.push({ ...leg, at: time(60_000), order: `b${n}`, side: "buy", price, amount: -10 * price });
    rows.push({ ...leg, at: time(120_000), order: `s${n}`, side: "sell", price: sold, amount: 10 * sold });
  }
  return rows;
}

/** The whole server over the embedded Postgres, or DATABASE_URL's, asked over HTTP from the same process. */
export const bench: Bench = {
  name: "paper",
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "tx-bench-"));
    const url = process.env.DATABASE_URL;
    const config = readConfig({
      DATA_DIR: folder,
      PORT: "0",
      ENABLE_BACKGROUND_WORKERS: "false",
      RATE_LIMIT_MULTIPLIER: "10000",
      PAPER_STARTING_CASH: "1000000",
      ...(url === undefined ? {} : { DATABASE_URL: url }),
    });
    const parts = await compose({ config, log: pino({ level: "silent" }), scrub: (text) => text });
    const app = await buildApp(parts);
    await parts.startEvents();
    const caller = createCaller(await app.server.listen({ host: "127.0.0.1", port: 0 }));
    try {
      const figures = [...(await orders(caller)), ...(await reads(caller))];
      return [{ row: "L2", title: `Paper trading over HTTP, ${parts.opened.kind}`, notes: [], figures }];
    } finally {
      caller.close();
      await parts.stopLoops();
      await app.close();
      await parts.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function orders({ call }: Caller): Promise<Figure[]> {
  await call("POST", "/api/risk-settings", {
    max_daily_trades: 1_000_000,
    max_position_size: 100_000,
    max_daily_loss: 5_000,
    diversification_limit: 1_000_000,
    max_drawdown_limit: 100,
  });
  const place = async (n: number, quantity = 0.001) => {
    const side = n % 2 === 0 ? "buy" : "sell";
    const order = { symbol: "BTC-USD", side, quantity, type: "market", time_in_force: "gtc" };
    const { status, body } = await call("POST", "/api/paper-trade/orders", order);
    if (status !== 201) throw new Error(`order ${n} was answered ${status}: ${body.slice(0, 200)}`);
  };
  // Calls may overtake each other: there is always enough to be sold.
  await place(0, 0.5);
  await callsAt(RATE, RATE * 2, (n) => place(n));
  const times = await callsAt(RATE, RATE * SECONDS, (n) => place(n));
  const name = `order to its answer at ${RATE} orders/s on one account, HTTP included`;
  const text = `<= ${ORDER_MS}`;
  return [
    { name: `${name}, p50`, value: at(times, 0.5), unit: "ms" },
    {
      name: "the same, p99",
      value: at(times, 0.99),
      unit: "ms",
      target: { text, met: at(times, 0.99) <= ORDER_MS },
    },
    { name: "the same, the slowest", value: at(times, 1), unit: "ms" },
  ];
}

async function reads({ call }: Caller): Promise<Figure[]> {
  const file = { name: "Many trades", transactions: manyTrades() };
  const imported = await call("POST", "/api/paper-trade/accounts/import", file);
  if (imported.status !== 201)
    throw new Error(`import was answered ${imported.status}: ${imported.body.slice(0, 200)}`);
  const { id } = (JSON.parse(imported.body) as { data: { id: string } }).data;
  const found: Figure[] = [];
  for (const path of [`/api/paper-trade/portfolio?account_id=${id}`, `/api/trading-stats?account_id=${id}`]) {
    const times: number[] = [];
    for (let n = 0; n < READS; n++) {
      const sent = performance.now();
      const { status } = await call("GET", path);
      if (status !== 200) throw new Error(`${path} was answered ${status}`);
      if (n >= 20) times.push(performance.now() - sent);
    }
    times.sort((a, b) => a - b);
    const p99 = at(times, 0.99);
    const what = `GET ${path.split("?")[0]} of an account with ${TRADES} trades`;
    const target = path.includes("portfolio")
      ? { target: { text: `<= ${READ_MS}`, met: p99 <= READ_MS } }
      : {};
    found.push({ name: `${what}, p50`, value: at(times, 0.5), unit: "ms" });
    found.push({ name: "the same, p99", value: p99, unit: "ms", ...target });
  }
  return found;
}

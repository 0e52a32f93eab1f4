import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { buildApp } from "../src/app.js";
import { compose } from "../src/compose.js";
import { readConfig } from "../src/platform/config.js";
import type { Answer, Asked } from "./paper-caller.js";
import { at } from "./rate.js";
import type { Bench, Figure } from "./time.js";

const RATE = 200;
const SECONDS = 20;
const ORDER_MS = 10;
const TRADES = 10_000;
const READS = 1_000;
const READ_MS = 5;

/** A client in a process of its own, as clients are. */
interface Caller {
  /** Calls one after the other, or at a steady rate a second whether those before are answered or not. @returns ms of each, ascending. */
  calls(asked: Asked): Promise<number[]>;
  call(method: string, path: string, body?: object): Promise<Answer>;
  close(): void;
}

function startCaller(url: string): Caller {
  const program = fileURLToPath(new URL("paper-caller.ts", import.meta.url));
  const child = fork(program, [url], { execArgv: ["--import", "tsx"] });
  async function ask<T>(message: object): Promise<T> {
    child.send(message);
    const [answer] = (await once(child, "message")) as [{ result: T } | { error: string }];
    if ("error" in answer) throw new Error(answer.error);
    return answer.result;
  }
  return {
    calls: (asked) => ask({ kind: "calls", ...asked }),
    call: (method, path, body) => ask({ kind: "call", method, path, body }),
    close: () => child.kill(),
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

/** The whole server over the embedded Postgres, or DATABASE_URL's, asked over HTTP from another process. */
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
    const caller = startCaller(await app.server.listen({ host: "127.0.0.1", port: 0 }));
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

async function orders({ call, calls }: Caller): Promise<Figure[]> {
  await call("POST", "/api/risk-settings", {
    max_daily_trades: 1_000_000,
    max_position_size: 100_000,
    max_daily_loss: 5_000,
    diversification_limit: 1_000_000,
    max_drawdown_limit: 100,
  });
  const body = (side: string, quantity: number) => {
    return { symbol: "BTC-USD", side, quantity, type: "market", time_in_force: "gtc" };
  };
  const path = "/api/paper-trade/orders";
  // Calls may overtake each other: there is always enough to be sold.
  const first = await call("POST", path, body("buy", 0.5));
  if (first.status !== 201) throw new Error(`the first order was answered ${first.status}: ${first.body}`);
  const turns = { method: "POST", path, bodies: [body("buy", 0.001), body("sell", 0.001)], status: 201 };
  await calls({ ...turns, count: RATE * 2, rate: RATE });
  const times = await calls({ ...turns, count: RATE * SECONDS, rate: RATE });
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

async function reads({ call, calls }: Caller): Promise<Figure[]> {
  const file = { name: "Many trades", transactions: manyTrades() };
  const imported = await call("POST", "/api/paper-trade/accounts/import", file);
  if (imported.status !== 201)
    throw new Error(`import was answered ${imported.status}: ${imported.body.slice(0, 200)}`);
  const { id } = (JSON.parse(imported.body) as { data: { id: string } }).data;
  const found: Figure[] = [];
  for (const path of [`/api/paper-trade/portfolio?account_id=${id}`, `/api/trading-stats?account_id=${id}`]) {
    const asked = { method: "GET", path, bodies: [], status: 200, rate: null };
    await calls({ ...asked, count: 100 });
    const times = await calls({ ...asked, count: READS });
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

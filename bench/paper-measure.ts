import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { at, callsAt } from "./rate.js";
import type { Figure, Section } from "./time.js";

/**
 * Runs compiled, elsewhere; prints one section as JSON: how long a client waits for the server as `npm start` runs it.
 * With plain node, and nothing of the project in it, the client needs next to nothing of the server's processors.
 */
const RATE = 200;
/** A server is compiled and its heap grows while it serves the first orders. */
const WARM_SECONDS = 10;
const SECONDS = 40;
const ORDER_MS = 10;
const TRADES = 10_000;
const PAGE_BYTES = 8_192;
const READ_SECONDS = 20;
const READ_MS = 5;

interface Answer {
  readonly status: number;
  readonly body: string;
}

type Call = (method: string, path: string, body?: object) => Promise<Answer>;

const lineSchema = z.object({ msg: z.string().optional(), address: z.string().optional() });

const packageSchema = z.object({ scripts: z.object({ start: z.string() }) });

/** The built program, as `npm start` runs it. @throws when it ends before it listens. */
async function startServer(environment: Readonly<Record<string, string>>) {
  const root = join(process.argv[2], "..");
  const { scripts } = packageSchema.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  const child = spawn(process.execPath, scripts.start.split(" ").slice(1), {
    cwd: root,
    env: { ...process.env, ...environment, PORT: "0", STRUCTURED_LOGS: "true", LOG_LEVEL: "info" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, address } = lineSchema.parse(JSON.parse(line));
    if (msg !== "TX is listening" || address === undefined) continue;
    child.stdout.resume();
    return {
      url: address,
      async stop() {
        child.kill();
        await ended;
      },
    };
  }
  throw new Error("the server ended before it listened");
}

function callerOf(url: string): Call {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return (method, path, body) =>
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
    });
}

/** @throws where an answer has another status. */
async function answered(call: Call, status: number, ...asked: Parameters<Call>): Promise<string> {
  const answer = await call(...asked);
  if (answer.status === status) return answer.body;
  throw new Error(`${asked[0]} ${asked[1]} was answered ${answer.status}: ${answer.body.slice(0, 200)}`);
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

async function orders(call: Call): Promise<Figure[]> {
  await answered(call, 200, "POST", "/api/risk-settings", {
    max_daily_trades: 1_000_000,
    max_position_size: 100_000,
    max_daily_loss: 5_000,
    diversification_limit: 1_000_000,
    max_drawdown_limit: 100,
  });
  const place = async (side: string, quantity: number) => {
    const body = { symbol: "BTC-USD", side, quantity, type: "market", time_in_force: "gtc" };
    await answered(call, 201, "POST", "/api/paper-trade/orders", body);
  };
  // Calls may overtake each other: there is always enough to be sold.
  await place("buy", 0.5);
  // All orders of a minute together stay within the share of its volume that an account may take.
  const one = (n: number) => place(n % 2 === 0 ? "buy" : "sell", 0.0002);
  await callsAt(RATE, RATE * WARM_SECONDS, one);
  const times = await callsAt(RATE, RATE * SECONDS, one);
  const name = `order to its answer at ${RATE} orders/s on one account, HTTP included`;
  return [
    { name: `${name}, p50`, value: at(times, 0.5), unit: "ms" },
    {
      name: "the same, p99",
      value: at(times, 0.99),
      unit: "ms",
      target: { text: `<= ${ORDER_MS}`, met: at(times, 0.99) <= ORDER_MS },
    },
    { name: "the same, the slowest", value: at(times, 1), unit: "ms" },
  ];
}

/**
 * What the disk takes to keep pages that come at the rate of the orders and for as long, one flush at a time, each of all
 * that waits, as a log is kept: no acknowledged order can be faster.
 */
async function disk(folder: string): Promise<Figure[]> {
  const file = await open(join(folder, "pages"), "w+");
  const page = Buffer.alloc(PAGE_BYTES, 1);
  const pages = RATE * SECONDS;
  // There before, as the segments of a log are once it has run for a while.
  for (let n = 0; n < pages; n++) await file.write(page, 0, PAGE_BYTES, n * PAGE_BYTES);
  await file.sync();
  let underway = Promise.resolve();
  let next: Promise<void> | null = null;
  const times = await callsAt(RATE, pages, async (n) => {
    await file.write(page, 0, PAGE_BYTES, n * PAGE_BYTES);
    next ??= underway.then(() => {
      next = null;
      underway = file.datasync();
      return underway;
    });
    await next;
  });
  await file.close();
  return [
    {
      name: `a page kept on the same disk, ${RATE} a second and nothing else, p50`,
      value: at(times, 0.5),
      unit: "ms",
    },
    { name: "the same, p99", value: at(times, 0.99), unit: "ms" },
    { name: "the same, the slowest", value: at(times, 1), unit: "ms" },
  ];
}

/** One read after the other. */
async function timesOfReads(call: Call, path: string, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + seconds * 1_000;
  for (let sent = performance.now(); sent < end; sent = performance.now()) {
    await answered(call, 200, "GET", path);
    times.push(performance.now() - sent);
  }
  return times.sort((a, b) => a - b);
}

async function reads(call: Call): Promise<Figure[]> {
  const file = { name: "Many trades", transactions: manyTrades() };
  const imported = await answered(call, 201, "POST", "/api/paper-trade/accounts/import", file);
  const { id } = (JSON.parse(imported) as { data: { id: string } }).data;
  const found: Figure[] = [];
  for (const path of [`/api/paper-trade/portfolio?account_id=${id}`, `/api/trading-stats?account_id=${id}`]) {
    await timesOfReads(call, path, WARM_SECONDS);
    const times = await timesOfReads(call, path, READ_SECONDS);
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

const folder = mkdtempSync(join(tmpdir(), "tx-bench-"));
const embedded = process.env.DATABASE_URL === undefined;
const figures: Figure[] = embedded ? await disk(folder) : [];
const server = await startServer({
  DATA_DIR: folder,
  ENABLE_BACKGROUND_WORKERS: "false",
  RATE_LIMIT_MULTIPLIER: "10000",
  PAPER_STARTING_CASH: "1000000",
});
const call = callerOf(server.url);
try {
  figures.push(...(await orders(call)), ...(await reads(call)));
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
const database = embedded ? "the embedded Postgres" : "Postgres";
const notes = [
  `The built server in a process of its own over ${database}; ${WARM_SECONDS} s of the same come before. Reads come one after the other.`,
];
const section: Section = { row: "L2", title: "Paper trading over HTTP", notes, figures };
process.stdout.write(JSON.stringify([section]));

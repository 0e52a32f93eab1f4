import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createBus } from "../../src/platform/bus.js";
import { createEventLog } from "../../src/platform/event-log.js";
import { openTestDatabase } from "../fixtures/database.js";
import { silentLog } from "../fixtures/log.js";
import { startProcess, type TxProcess } from "./process.js";
import { openSetting } from "./setting.js";

const CLIENTS = Number(process.env.TRIAL_CLIENTS ?? 5_000);
const STALLED = CLIENTS / 10;
const FEW = 100;
const SECONDS = 20;
const EVENTS_A_SECOND = 50;
/** Of an event, about those of an alert. */
const PADDING = "x".repeat(300);
const setting = openSetting();
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

interface Counted {
  readonly events: number;
  readonly ended: number;
  readonly late: readonly (readonly [ms: number, count: number])[];
}

/** Clients in a process of their own. */
async function openCrowd({ url }: TxProcess, clients: number, stalled: number) {
  const script = fileURLToPath(new URL("./stream-crowd.ts", import.meta.url));
  const options = [new URL(url).port, String(clients), String(stalled)];
  const child = spawn(process.execPath, ["--import", "tsx", script, ...options], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async <T>(): Promise<T> => JSON.parse((await lines.next()).value as string) as T;
  expect(await next<{ listening: number }>()).toEqual({ listening: clients });
  return {
    stall: () => void child.stdin.write("stall\n"),
    end(): Promise<Counted> {
      child.stdin.end();
      return next<Counted>();
    },
  };
}

/** Publishes for some time at the rate, each event with the moment before it was written. @returns how many. */
async function publish(seconds: number): Promise<number> {
  const database = await openTestDatabase(setting.database);
  const bus = createBus((error) => {
    throw error;
  });
  const eventLog = createEventLog(database, bus, silentLog);
  const started = performance.now();
  let n = 0;
  for (; n < seconds * EVENTS_A_SECOND; n++) {
    await sleep(Math.max(0, started + (1_000 * n) / EVENTS_A_SECOND - performance.now()));
    const payload = { n, sent: performance.timeOrigin + performance.now(), padding: PADDING };
    await database.transaction((sql) => eventLog.append(sql, [{ topic: "alerts", payload }]));
  }
  await database.close();
  return n;
}

function quantileOf(late: Counted["late"], q: number): number {
  const sorted = late.toSorted(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [ms, count] of sorted) {
    seen += count;
    if (seen >= q * total) return ms;
  }
  return Number.NaN;
}

/** Resident memory of a process, MB. */
function memoryOf({ pid }: TxProcess): number {
  const [, kb] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kb) / 1_024;
}

async function stalledCuts({ url }: TxProcess): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/tx_ws_cuts_total\{reason="stalled"\} (\d+)/.exec(text)?.[1] ?? 0);
}

function start(name: string) {
  return startProcess({
    DATABASE_URL: setting.database.url,
    DATA_DIR: join(setting.folder, name),
    MARKET_DATA: "synthetic",
    ENABLE_BACKGROUND_WORKERS: "false",
    RATE_LIMIT_MULTIPLIER: "10000",
  });
}

describe("a crowd at the stream", () => {
  it(`of ${FEW} hears within 50 ms of the commit, all but one in a hundred times`, async () => {
    const server = await start("few");
    const crowd = await openCrowd(server, FEW, 0);
    const published = await publish(SECONDS);
    await sleep(1_000);
    const { events, ended, late } = await crowd.end();
    server.kill("SIGTERM");
    await server.ended();
    const [p50, p99] = [quantileOf(late, 0.5), quantileOf(late, 0.99)];
    process.stdout.write(
      `${FEW} clients, ${EVENTS_A_SECOND} events/s: from before the write to the client p50 ${p50} ms, p99 ${p99} ms\n`,
    );
    expect({ events, ended }).toEqual({ events: published * FEW, ended: 0 });
    expect(p99).toBeLessThanOrEqual(50);
  });

  it(`of ${CLIENTS}, of whom a tenth stops reading, goes on for the others, and the tenth is gone within ten seconds`, async () => {
    const server = await start("many");
    const before = memoryOf(server);
    const crowd = await openCrowd(server, CLIENTS, STALLED);
    const connected = memoryOf(server);
    let most = connected;
    const watch = setInterval(() => {
      most = Math.max(most, memoryOf(server));
    }, 200);
    crowd.stall();
    const stalledAt = performance.now();
    const writing = publish(SECONDS);
    while ((await stalledCuts(server)) < STALLED && performance.now() - stalledAt < 30_000) await sleep(100);
    const goneMs = performance.now() - stalledAt;
    const cuts = await stalledCuts(server);
    const published = await writing;
    await sleep(3_000);
    clearInterval(watch);
    const { events, ended, late } = await crowd.end();
    server.kill("SIGTERM");
    await server.ended();
    const healthy = CLIENTS - STALLED;
    const [p50, p99, worst] = [0.5, 0.99, 1].map((q) => quantileOf(late, q));
    process.stdout.write(
      `${CLIENTS} clients, ${STALLED} of them stalled, ${EVENTS_A_SECOND} events/s for ${SECONDS} s: ${events} events to those who read, ` +
        `p50 ${p50} ms, p99 ${p99} ms, last ${worst} ms; ${cuts} stalled gone after ${(goneMs / 1_000).toFixed(1)} s; ` +
        `memory ${before.toFixed(0)} MB alone, ${connected.toFixed(0)} MB with all connected ` +
        `(${((1_024 * (connected - before)) / CLIENTS).toFixed(1)} kB each), ${most.toFixed(0)} MB at most\n`,
    );
    expect(ended).toBe(0);
    expect(cuts).toBe(STALLED);
    expect(goneMs).toBeLessThanOrEqual(10_000);
    // What the stalled took before they stopped counts as well.
    expect(events).toBeGreaterThanOrEqual(published * healthy);
    expect(p99).toBeLessThanOrEqual(1_000);
    expect(most - connected).toBeLessThanOrEqual(STALLED);
  });
});

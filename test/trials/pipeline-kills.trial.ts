import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { startProcess, type TxProcess } from "./process.js";
import { plainBars, post, type SentTick, walkOf } from "./tick-senders.js";

const KILLS = Number(process.env.TRIAL_KILLS ?? 10);
const SYMBOLS = ["BTC-USD", "ETH-USD", "SOL-USD"];
/** Of each symbol, one a second: usually a day and a bit. */
const TICKS = Number(process.env.TRIAL_TICKS ?? 90_000);
const ROWS = 500;
const SENDERS = SYMBOLS.length;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tx-ticks-"));
  chmodSync(folder, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const environment = (name: string) => ({ MARKET_DATA: "synthetic", DATA_DIR: join(folder, name) });

async function barsOf(name: string): Promise<unknown[]> {
  const host = join(folder, name, "postgres.run");
  const client = new pg.Client({ host, port: 5432, user: "postgres", database: "postgres" });
  await client.connect();
  const { rows } = await client.query(
    `select symbol, interval, (extract(epoch from time) * 1000)::float8 as time, open, high, low, close, volume, count, vwap,
       pressure, slot from tick_bars order by symbol, interval, time`,
  );
  await client.end();
  return rows;
}

interface Ledger {
  acknowledged: number;
  resent: number;
  repeated: number;
}

/** Sends the batches of one symbol in their order, each under its key until it is acknowledged. */
async function send(of: () => TxProcess, batches: readonly SentTick[][], ledger: Ledger): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const [k, batch] of batches.entries()) {
    for (let attempt = 1; ; attempt++) {
      const { status, body } = await post(of().url, batch, `${batch[0].symbol}-${k}`, agent);
      if (status === 200) {
        if (body?.repeated === true) ledger.repeated++;
        else expect(body).toMatchObject({ accepted: batch.length, rejected: [], held: [] });
        ledger.acknowledged++;
        break;
      }
      if (status !== 0 && status !== 503) throw new Error(`answered with ${status}: ${JSON.stringify(body)}`);
      if (attempt === 3_000) throw new Error("nobody answers");
      ledger.resent++;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  agent.destroy();
}

async function run(name: string, kills: number) {
  const rng = createRng(5);
  const ledger: Ledger = { acknowledged: 0, resent: 0, repeated: 0 };
  let server = await startProcess(environment(name));
  const sending = Promise.all(
    SYMBOLS.map((symbol, seed) => {
      const ticks = walkOf(symbol, seed + 1, TICKS, 1_000);
      const batches = Array.from({ length: TICKS / ROWS }, (_, k) => ticks.slice(k * ROWS, (k + 1) * ROWS));
      return send(() => server, batches, ledger);
    }),
  );
  const whole = (SYMBOLS.length * TICKS) / ROWS;
  for (let kill = 1; kill <= kills; kill++) {
    const until = (whole * kill) / (kills + 1);
    while (ledger.acknowledged < until) await new Promise((resolve) => setTimeout(resolve, 2));
    await new Promise((resolve) => setTimeout(resolve, rng.next() * 30));
    server.kill("SIGKILL");
    expect(await server.ended()).toBe("SIGKILL");
    server = await startProcess(environment(name));
  }
  await sending;
  // What was acknowledged is stored once the server has ended of itself.
  server.kill("SIGTERM");
  expect(await server.ended()).toBe(0);
  const last = await startProcess(environment(name));
  const bars = await barsOf(name);
  last.kill("SIGTERM");
  await last.ended();
  return { bars, ledger };
}

describe(`killed ${KILLS} times while ${SENDERS} senders send ticks`, () => {
  it("ends with the bars of an undisturbed run, which are those of a plain aggregation", async () => {
    const calm = await run("calm", 0);
    const killed = await run("killed", KILLS);
    const all = SYMBOLS.flatMap((symbol, seed) => walkOf(symbol, seed + 1, TICKS, 1_000));
    for (const [interval, lengthMs] of [
      ["5m", 300_000],
      ["30m", 1_800_000],
    ] as const) {
      const made = new Map(
        (killed.bars as Record<string, number | string>[])
          .filter((bar) => bar.interval === interval)
          .map(({ symbol, time, open, high, low, close, volume, count }) => [
            `${symbol} ${time}`,
            [open, high, low, close, volume, count].join(" "),
          ]),
      );
      const plain = plainBars(all, lengthMs);
      // The newest bar of each symbol is still open: a recording is closed by its ticks alone.
      expect(made.size).toBe(plain.size - SYMBOLS.length);
      for (const [place, bar] of made) expect(bar, place).toBe(plain.get(place));
    }
    expect(killed.bars).toEqual(calm.bars);
    process.stdout.write(
      `${KILLS} kills, ${all.length} ticks in ${killed.ledger.acknowledged} acknowledged batches, ` +
        `${killed.ledger.resent} sendings without an answer, ${killed.ledger.repeated} batches answered as sent before; ` +
        `${killed.bars.length} bars, every figure the same as without kills\n`,
    );
  });
});

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { openTestDatabase } from "../fixtures/database.js";
import { isRunning, postmasterOf } from "../fixtures/own-postgres.js";
import { ROOMY } from "../fixtures/roomy-settings.js";
import { audit } from "./ledger-audit.js";
import { startWriters, type Writers } from "./ledger-writers.js";
import { quantile } from "./load.js";
import { startProcess, type TxProcess } from "./process.js";

const KILLS = Number(process.env.TRIAL_LEDGER_KILLS ?? 200);
const CRASHES = Number(process.env.TRIAL_LEDGER_CRASHES ?? Math.ceil(KILLS / 10));
const WRITERS = 16;
const ACCOUNTS = 8;
/** Most lives last up to so long after a call was acknowledged in them, the others after they began to listen. */
const LIFE_MS = 300;
const UNHEARD_SHARE = 0.2;
/** All kills and crashes are to be over by then; what is not done is given up, and told. */
const LIMIT_MS = 1_000 * Number(process.env.TRIAL_LEDGER_SECONDS ?? 300);

/** What the writers do is refused by no limit of theirs, as far as these go. */
const SETTINGS = { ...ROOMY, enable_stop_loss: false, enable_take_profit: false };

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const noMatter = () => undefined;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tx-trial-"));
  chmodSync(folder, 0o755);
});
const started: TxProcess[] = [];

/** Ends all that kills and crashes, whatever it waits for. */
class Ending {
  over = false;
  readonly #ended: Promise<void>;
  #end: () => void = () => undefined;

  constructor() {
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  end(): void {
    this.over = true;
    this.#end();
  }

  /** Resolves with what is waited for, or when all is over. */
  async before(awaited: Promise<unknown>): Promise<void> {
    await Promise.race([awaited, this.#ended]);
  }
}

const ending = new Ending();
/** All that kills, crashes and starts. */
let working: Promise<unknown> = Promise.resolve();

afterAll(async () => {
  ending.end();
  // Whoever is about to start a server has started it then, and nobody starts another.
  await Promise.race([working.then(noMatter, noMatter), sleep(60_000)]);
  for (const { kill } of started) kill("SIGKILL");
  const postmaster = postmasterOf(folder);
  if (postmaster !== null && isRunning(postmaster)) process.kill(postmaster, "SIGQUIT");
  if (process.env.TRIAL_KEEP === undefined) rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** As whoever supervises it does: one that ends because its database ended while it started is started again. */
async function start(port: number, life: number, figures: Figures): Promise<TxProcess> {
  for (;;) {
    try {
      return await startOnce(port, life);
    } catch (error) {
      const met =
        !ending.over && String(error).includes("TX could not start") && figures.stillborn < 2 * CRASHES;
      if (!met) throw error;
      figures.stillborn++;
    }
  }
}

/** @param life every fourth one scans and measures as well; all match orders. */
async function startOnce(port: number, life: number): Promise<TxProcess> {
  const running = await startProcess({
    DATA_DIR: folder,
    PORT: String(port),
    RATE_LIMIT_MULTIPLIER: "10000",
    ENABLE_BACKGROUND_WORKERS: String(life % 4 === 3),
    SCAN_SYMBOLS: "BTC-USD,ETH-USD",
  });
  started.push(running);
  return running;
}

interface Figures {
  kills: number;
  crashes: number;
  /** Starts during which Postgres was ended. */
  stillborn: number;
  readonly startMs: number[];
  /** From the crash of Postgres to the next acknowledged call. */
  readonly backMs: number[];
}

/** Kills and starts one of the servers until all kills are done. @returns the one that lives. */
async function killing(
  { port, first, seed }: { port: number; first: TxProcess; seed: number },
  writers: Writers,
  figures: Figures,
): Promise<TxProcess> {
  const rng = createRng(seed);
  let running = first;
  for (let life = 0; figures.kills < KILLS && !ending.over; life++) {
    if (rng.next() > UNHEARD_SHARE) await ending.before(writers.answered(port));
    await ending.before(sleep(rng.next() * LIFE_MS));
    if (ending.over || figures.kills >= KILLS) break;
    figures.kills++;
    running.kill("SIGKILL");
    expect(await running.ended()).toBe("SIGKILL");
    running = await start(port, life, figures);
    figures.startMs.push(running.startMs);
  }
  return running;
}

/** Ends Postgres without a checkpoint, spread over the kills and, for what is left, after them. */
async function crashing(writers: Writers, figures: Figures): Promise<void> {
  while (figures.crashes < CRASHES && !ending.over) {
    if (figures.kills < KILLS && figures.kills < ((figures.crashes + 0.5) * KILLS) / CRASHES) {
      await sleep(20);
      continue;
    }
    const postmaster = postmasterOf(folder);
    if (postmaster === null) {
      await sleep(20);
      continue;
    }
    const before = performance.now();
    try {
      process.kill(postmaster, "SIGQUIT");
    } catch (error) {
      // It has ended by itself.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      await sleep(20);
      continue;
    }
    figures.crashes++;
    await sleep(100);
    await ending.before(writers.answered());
    if (ending.over) return;
    figures.backMs.push(performance.now() - before);
  }
}

async function post(port: number, path: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  expect(answer.status, await answer.text()).toBe(200);
}

describe(`${WRITERS} writers through ${KILLS} kills of two servers and ${CRASHES} crashes of Postgres`, () => {
  it("lose nothing that was acknowledged, and do nothing twice", async () => {
    const ports = [await freePort(), await freePort()];
    const began = performance.now();
    const servers = [await startOnce(ports[0], 0), await startOnce(ports[1], 1)];
    await post(ports[0], "/api/risk-settings", SETTINGS);
    const writers = await startWriters({ ports, writers: WRITERS, accounts: ACCOUNTS, seed: 6 });
    const figures: Figures = { kills: 0, crashes: 0, stillborn: 0, startMs: [], backMs: [] };
    const limit = setTimeout(() => ending.end(), LIMIT_MS);
    const all = Promise.all([
      crashing(writers, figures),
      ...ports.map((port, n) => killing({ port, first: servers[n], seed: n }, writers, figures)),
    ]);
    working = all;
    const [, ...last] = await all;
    clearTimeout(limit);
    await Promise.race([writers.stop(), sleep(60_000)]);
    const seconds = (performance.now() - began) / 1_000;

    const connection = {
      host: join(folder, "postgres.run"),
      port: 5432,
      user: "postgres",
      database: "postgres",
    };
    const database = await openTestDatabase({ connection });
    const { acknowledged } = writers;
    const { lost, doubled, unbalanced, counts } = await audit(database, acknowledged);
    await database.close();

    const statuses: Record<string, number> = {};
    for (const { kind, status } of acknowledged) {
      statuses[`${kind} ${status}`] = (statuses[`${kind} ${status}`] ?? 0) + 1;
    }
    const unheard = acknowledged.filter(({ replayed, text }) => replayed || text.includes("id_not_unique"));
    process.stdout.write(
      `${figures.kills} of ${KILLS} kills, ${figures.crashes} of ${CRASHES} crashes of Postgres; ${acknowledged.length} calls acknowledged, ` +
        `${unheard.length} committed by an attempt without an answer, ${writers.retries()} retries; ` +
        `${lost.length} lost, ${doubled.length} doubled, ${unbalanced.length} unbalanced; ${seconds.toFixed(0)} s\n` +
        `${counts.accounts} accounts, ${counts.orders} orders, ${counts.fills} fills, ${counts.legs} legs; ` +
        `start to listening: median ${quantile(figures.startMs, 0.5).toFixed(0)} ms, longest ` +
        `${Math.max(...figures.startMs).toFixed(0)} ms, ${figures.stillborn} ended by a crash before it; crash to the next answer: median ` +
        `${quantile(figures.backMs, 0.5).toFixed(0)} ms, longest ${Math.max(...figures.backMs).toFixed(0)} ms\n` +
        `${JSON.stringify(statuses)}\n`,
    );
    // What must never be comes first: a slow machine does fewer kills, and is judged by those all the same.
    expect(lost.slice(0, 5)).toEqual([]);
    expect(doubled.slice(0, 5)).toEqual([]);
    expect(unbalanced.slice(0, 5)).toEqual([]);
    const failed = acknowledged.filter(({ status }) => status >= 500);
    expect(failed.slice(0, 3)).toEqual([]);
    expect(acknowledged.filter(({ status }) => status === 201).length).toBeGreaterThan(figures.kills);
    for (const server of last) server.kill("SIGTERM");
    for (const server of last) {
      expect(await server.ended(), JSON.stringify(server.records.slice(-10))).toBe(0);
    }
    expect([figures.kills, figures.crashes], `after ${seconds.toFixed(0)} s`).toEqual([KILLS, CRASHES]);
    expect(seconds).toBeLessThan(LIMIT_MS / 1_000);
  });
});

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createRng } from "../../src/core/base/rng.js";
import { startProcess } from "./process.js";
import { FAULTS, plainBars, post, type SentTick, walkOf } from "./tick-senders.js";

const PRODUCERS = Number(process.env.TRIAL_PRODUCERS ?? 1_000);
/** Of each producer. */
const TICKS = 300;
const ROWS = 50;
/** Ten seconds apart: fifty minutes each. */
const EVERY_MS = 10_000;
const BAD_SHARE = 0.01;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tx-producers-"));
  chmodSync(folder, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Planned {
  readonly good: readonly SentTick[];
  readonly batches: readonly (readonly unknown[])[];
  readonly bad: ReadonlyMap<string, number>;
}

const OUTLIER = [
  "outlier",
  "outlier",
  (tick: SentTick) => ({ ...tick, price: 1.5 * tick.price, id: null }),
] as const;

/** Good ticks of a producer, and bad rows between them. */
function planOf(producer: number): Planned {
  const rng = createRng(producer, 8);
  const good = walkOf(`P${producer}-USD`, producer, TICKS, EVERY_MS);
  const bad = new Map<string, number>();
  const batches: unknown[][] = [];
  for (const [i, tick] of good.entries()) {
    if (i % ROWS === 0) batches.push([]);
    batches[batches.length - 1].push(tick);
    if (rng.next() >= BAD_SHARE) continue;
    // An outlier is told by the tick after it.
    const kinds = i % ROWS === ROWS - 1 ? FAULTS : [...FAULTS, OUTLIER];
    const [, reason, spoil] = kinds[rng.below(kinds.length)];
    batches[batches.length - 1].push(spoil(tick, rng));
    bad.set(reason, (bad.get(reason) ?? 0) + 1);
  }
  return { good, batches, bad };
}

interface Heard {
  accepted: number;
  held: number;
  resent: number;
  readonly reasons: Map<string, number>;
}

function note(heard: Heard, body: Readonly<Record<string, unknown>>): void {
  heard.accepted += Number(body.accepted);
  heard.held += (body.held as unknown[]).length;
  for (const { reason } of body.rejected as { reason: string }[])
    heard.reasons.set(reason, (heard.reasons.get(reason) ?? 0) + 1);
}

async function sendByHttp(url: string, producer: number, { batches }: Planned, heard: Heard, agent: Agent) {
  for (const [k, batch] of batches.entries()) {
    for (;;) {
      const { status, body } = await post(url, batch, `${producer}-${k}`, agent);
      if (status === 200 && body !== null) {
        note(heard, body);
        break;
      }
      if (status !== 503 && status !== 0) throw new Error(`answered with ${status}: ${JSON.stringify(body)}`);
      heard.resent++;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** An open socket; null where it is refused or cut. */
function openSender(url: string): Promise<WebSocket | null> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/ws/ticks`);
  return new Promise((resolve) => {
    socket.once("open", () => resolve(socket));
    socket.on("error", () => resolve(null));
  });
}

/** The answer to a frame; null where the socket ends before. */
function ask(socket: WebSocket, frame: object): Promise<Record<string, unknown> | null> {
  return new Promise((resolve) => {
    const ended = () => resolve(null);
    socket.once("close", ended);
    socket.once("message", (data) => {
      socket.off("close", ended);
      resolve(JSON.parse(String(data)) as Record<string, unknown>);
    });
    socket.send(JSON.stringify(frame));
  });
}

async function sendBySocket(url: string, producer: number, { batches }: Planned, heard: Heard) {
  let socket: WebSocket | null = null;
  for (const [k, ticks] of batches.entries()) {
    for (;;) {
      socket ??= await openSender(url);
      const answer: Record<string, unknown> | null =
        socket === null ? null : await ask(socket, { key: `${producer}-${k}`, ticks });
      if (answer?.type === "ack") {
        note(heard, answer);
        break;
      }
      if (answer === null) socket = null;
      else if (!/overloaded|timed_out|database/.test(String(answer.code)))
        throw new Error(JSON.stringify(answer));
      heard.resent++;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  socket?.close();
}

describe(`${PRODUCERS} producers at once, half over sockets and half over HTTP`, () => {
  it("hear the reason of each bad row, and lose no good one", async () => {
    const server = await startProcess({
      MARKET_DATA: "synthetic",
      DATA_DIR: join(folder, "data"),
      PIPELINE_SYMBOLS: String(PRODUCERS),
      ENABLE_BACKGROUND_WORKERS: "false",
    });
    const plans = Array.from({ length: PRODUCERS }, (_, producer) => planOf(producer));
    const heard: Heard = { accepted: 0, held: 0, resent: 0, reasons: new Map() };
    const agent = new Agent({ keepAlive: true, maxSockets: PRODUCERS });
    const started = performance.now();
    await Promise.all(
      plans.map((plan, producer) =>
        producer % 2 === 0
          ? sendByHttp(server.url, producer, plan, heard, agent)
          : sendBySocket(server.url, producer, plan, heard),
      ),
    );
    const tookMs = performance.now() - started;
    agent.destroy();
    server.kill("SIGTERM");
    expect(await server.ended()).toBe(0);

    const planned = new Map<string, number>();
    for (const { bad } of plans)
      for (const [reason, count] of bad) planned.set(reason, (planned.get(reason) ?? 0) + count);
    const all = plans.flatMap(({ good }) => good);
    expect({ accepted: heard.accepted, held: heard.held }).toEqual({ accepted: all.length, held: 0 });
    expect(Object.fromEntries(heard.reasons)).toEqual(Object.fromEntries(planned));

    const after = await startProcess({
      MARKET_DATA: "synthetic",
      DATA_DIR: join(folder, "data"),
      PIPELINE_SYMBOLS: String(PRODUCERS),
      ENABLE_BACKGROUND_WORKERS: "false",
    });
    const client = new pg.Client({
      host: join(folder, "data", "postgres.run"),
      port: 5432,
      user: "postgres",
      database: "postgres",
    });
    await client.connect();
    const { rows } = await client.query(
      `select symbol, interval, (extract(epoch from time) * 1000)::float8 as time, open, high, low, close, volume, count from tick_bars`,
    );
    await client.end();
    after.kill("SIGTERM");
    await after.ended();
    for (const [interval, lengthMs] of [
      ["5m", 300_000],
      ["30m", 1_800_000],
    ] as const) {
      const made = (rows as Record<string, unknown>[]).filter((bar) => bar.interval === interval);
      const plain = plainBars(all, lengthMs);
      // The newest bar of each symbol is still open.
      expect(made.length).toBe(plain.size - PRODUCERS);
      for (const { symbol, time, open, high, low, close, volume, count } of made) {
        const place = `${symbol} ${time}`;
        expect([open, high, low, close, volume, count].join(" "), place).toBe(plain.get(place));
      }
    }
    const bad = [...planned.values()].reduce((sum, count) => sum + count, 0);
    process.stdout.write(
      `${PRODUCERS} producers, ${all.length} good ticks accepted of as many, ${bad} bad rows refused for their reasons ` +
        `(${[...planned].map(([reason, count]) => `${reason} ${count}`).join(", ")}), ${heard.resent} batches sent again; ` +
        `${rows.length} bars equal a plain aggregation; ${(tookMs / 1_000).toFixed(1)} s\n`,
    );
  });
});

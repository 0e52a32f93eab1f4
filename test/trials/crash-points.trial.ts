import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { rebuild } from "../../src/core/execution/state.js";
import { isTerminal } from "../../src/core/execution/states.js";
import { disagreements } from "../../src/features/paper-trades/recovery.js";
import { createLedgerStore, type LedgerStore } from "../../src/features/paper-trades/store.js";
import type { Database } from "../../src/platform/database.js";
import { openTestDatabase } from "../fixtures/database.js";
import { isRunning, postmasterOf } from "../fixtures/own-postgres.js";
import {
  type Answered,
  PAPER_SYMBOL,
  type Place,
  SCENARIOS,
  succeeds,
  type Trader,
} from "../fixtures/paper-scenarios.js";
import { spawnAll } from "../fixtures/process.js";
import { ROOMY } from "../fixtures/roomy-settings.js";

/** Where a process ends itself without a chance to tidy up. */
const POINTS = ["before it is sent", "once it is answered"] as const;
type Point = (typeof POINTS)[number];
const HEADER = "x-crash-at";
/** Statements of one call at most. */
const MOST = 60;

/**
 * Kills the process at a statement of the request that names one: `3 once it is answered` is when the third one's answer
 * has come to this machine, and nothing of the program has seen it. A statement ends with the protocol's Sync, or is a
 * simple query.
 */
const CRASHER = `data:text/javascript,${encodeURIComponent(`
import { Server } from "node:http";
import { Socket } from "node:net";
let left = 0;
let point = "";
const end = () => process.kill(process.pid, "SIGKILL");
const { emit } = Server.prototype;
Server.prototype.emit = function (name, ...rest) {
  const asked = name === "request" ? rest[0].headers["${HEADER}"] : undefined;
  if (asked !== undefined) {
    left = Number.parseInt(asked, 10);
    point = asked.slice(asked.indexOf(" ") + 1);
    rest[1].once("finish", () => { left = 0; });
  }
  return emit.call(this, name, ...rest);
};
const { write } = Socket.prototype;
Socket.prototype.write = function (data, ...rest) {
  const isStatement = Buffer.isBuffer(data) && left > 0 &&
    (data[0] === 0x51 || (data.length >= 5 && data.readUInt32BE(data.length - 4) === 4 && data[data.length - 5] === 0x53));
  if (isStatement && --left === 0) {
    if (point === "${POINTS[0]}") end();
    this.prependOnceListener("data", end);
  }
  return write.call(this, data, ...rest);
};
`)}`;

let folder: string;
let database: Database;
let store: LedgerStore;
let running: { readonly url: string; readonly ended: Promise<unknown>; isOver: boolean; kill(): void };
let armed: string | null = null;

async function start(): Promise<void> {
  const environment = {
    DATA_DIR: folder,
    RATE_LIMIT_MULTIPLIER: "10000",
    ENABLE_BACKGROUND_WORKERS: "false",
    // Confirmations are signed, and outlive the process that gave them.
    SECRET_KEY: createHash("sha256").update("crash points").digest("hex"),
    ALLOW_ANONYMOUS: "true",
  };
  const program = spawnAll(environment, ["--import", CRASHER]);
  const kill = () => program.kill("SIGKILL");
  const ended = program.ended();
  const started = { url: await program.listening(), ended, isOver: false, kill };
  void ended.then(() => {
    started.isOver = true;
  });
  running = started;
}

const send: Trader["send"] = async (method, url, payload, key): Promise<Answered> => {
  const headers = {
    ...(payload === undefined ? {} : { "content-type": "application/json" }),
    ...(key === undefined ? {} : { "idempotency-key": key }),
    ...(armed === null ? {} : { [HEADER]: armed }),
  };
  const body = payload === undefined ? {} : { body: JSON.stringify(payload) };
  const answer = await fetch(`${running.url}${url}`, { method, headers, ...body });
  return { status: answer.status, text: await answer.text() };
};
const trader: Trader = { price: Number.NaN, reach: 0.2, send };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-trial-"));
  chmodSync(folder, 0o755);
  await start();
  const connection = {
    host: join(folder, "postgres.run"),
    port: 5432,
    user: "postgres",
    database: "postgres",
  };
  database = await openTestDatabase({ connection });
  store = createLedgerStore(database);
  await succeeds(send("POST", "/api/risk-settings", { ...ROOMY, enable_position_sizing: false }));
});

beforeEach(async () => {
  // A statement that an answer does not wait for may have ended the process after it.
  await new Promise((resolve) => setTimeout(resolve, 300));
  if (running.isOver) await start();
});

/** What a case works on, at the price of now. */
async function prepare(scenario: (typeof SCENARIOS)[number], name: string): Promise<Place> {
  const quote = await fetch(`${running.url}/api/market/${PAPER_SYMBOL}`);
  trader.price = ((await quote.json()) as { data: { price: number } }).data.price;
  return scenario.prepare(trader, name);
}

afterAll(async () => {
  await database.close();
  running.kill();
  await running.ended;
  const postmaster = postmasterOf(folder);
  if (postmaster !== null && isRunning(postmaster)) process.kill(postmaster, "SIGQUIT");
  rmSync(folder, { recursive: true, force: true });
});

/** Accounts of a case as they are rebuilt from their events, without what depends on the price of the minute. */
async function stateOf(name: string) {
  const accounts = await database.query<{ id: string }>(
    "select id from paper_accounts where name = $1 order by opened_at, closed_at",
    [name],
  );
  const found = [];
  for (const { id } of accounts) {
    const stored = await store.loadAll(id, true);
    if (stored?.kept == null) throw new Error(`${id} is gone`);
    const { row, events, kept } = stored;
    expect(disagreements(events, kept), name).toEqual([]);
    const { orders, positions } = rebuild(events);
    found.push({
      halt: row.halt,
      closed: row.closedAt !== null,
      positions: [...positions].map(([symbol, { quantity }]) => [symbol, quantity]),
      orders: [...orders.values()].map(({ side, type, role, state, quantity, filled }) => {
        return { side, type, role, state, quantity, filled };
      }),
    });
  }
  return found;
}

/** Whatever was done by halves would show: a halted account with something at work that opens. */
function expectHaltsHold(accounts: Awaited<ReturnType<typeof stateOf>>, told: string): void {
  for (const { halt, orders } of accounts) {
    const open = orders.filter(
      ({ role, state }) => role !== "stop" && role !== "target" && !isTerminal(state),
    );
    if (halt !== null) expect(open, told).toEqual([]);
  }
}

let kills = 0;
const KEYED = SCENARIOS.filter(({ keyed, name }) => keyed || name === "a halt");

describe.each(KEYED)("$name", (scenario) => {
  it.each(POINTS)(
    "is done once or not at all, whichever statement the process is killed at, %s",
    async (point: Point) => {
      const calm = await prepare(scenario, `${scenario.name}: calm, ${point}`);
      const before = await stateOf(calm.name);
      await succeeds(scenario.call(trader, calm));
      const after = await stateOf(calm.name);
      for (let nth = 1; ; nth++) {
        expect(nth).toBeLessThan(MOST);
        const place = await prepare(scenario, `${scenario.name}: ${nth} ${point}`);
        armed = `${nth} ${point}`;
        const first = await scenario.call(trader, place).catch(() => null);
        armed = null;
        if (first !== null) {
          expect(first.status, first.text).toBeLessThan(300);
          expect(nth).toBeGreaterThan(2);
          break;
        }
        await running.ended;
        kills++;
        const state = await stateOf(place.name);
        expectHaltsHold(state, place.name);
        expect([before, after], `${place.name}, right after the kill`).toContainEqual(state);
        await start();
        const { status, text } = await scenario.call(trader, place);
        expect(status, `${place.name}: ${text}`).toBeLessThan(300);
        expect(await stateOf(place.name), place.name).toEqual(after);
      }
    },
  );
});

describe("all of it", () => {
  it("was many kills", () => {
    process.stdout.write(`${kills} kills at statements of the order path\n`);
    expect(kills).toBeGreaterThan(60);
  });
});

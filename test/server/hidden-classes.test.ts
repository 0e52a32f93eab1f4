import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { createTestDatabase } from "../fixtures/database.js";
import { spawnProgram } from "../fixtures/process.js";
import { sized } from "../fixtures/sizes.js";

const BUNDLE = fileURLToPath(new URL("../../dist/bundle/main.js", import.meta.url));
const WARM = 60;
const CALLS = sized({ usual: 60, full: 120 });
/** Where zod copies what it was called with. */
const OF_LIBRARIES = ["{ ..._ctx, async: false }", "{ ...ctx, skipChecks: true }"];

const folder = mkdtempSync(join(tmpdir(), "tx-classes-"));
const database = await createTestDatabase();
afterAll(async () => {
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** The log of the main thread, which begins before those of its workers. */
function mainLog(): string[] {
  const begun = (name: string) => statSync(join(folder, name)).birthtimeMs;
  const logs = readdirSync(folder).filter((name) => name.endsWith("-v8.log"));
  const [first] = logs.toSorted((a, b) => begun(a) - begun(b));
  return readFileSync(join(folder, first), "utf8").split("\n");
}

/**
 * Lines of the program at which V8 has made as many hidden classes as there were calls, since a time in µs. The log
 * has the line alone, and names scripts with the code it makes: a class made by code of another script is not counted.
 */
function busyLines(sinceUs: number): string[] {
  const codes: { start: number; end: number; isOwn: boolean }[] = [];
  const counts = new Map<number, number>();
  for (const row of mainLog()) {
    const [what, kind, ...cells] = row.split(",");
    if (what === "code-creation") {
      const [, , start, size, name] = cells;
      codes.push({ start: Number(start), end: Number(start) + Number(size), isOwn: name.includes(BUNDLE) });
    } else if (what === "map" && kind === "Transition" && Number(cells[0]) >= sinceUs) {
      const pc = Number(cells[3]);
      const code = codes.findLast(({ start, end }) => start <= pc && pc < end);
      if (code?.isOwn === false) continue;
      counts.set(Number(cells[4]), (counts.get(Number(cells[4])) ?? 0) + 1);
    }
  }
  const lines = readFileSync(BUNDLE, "utf8").split("\n");
  return [...counts].filter(([, count]) => count >= CALLS).map(([at]) => lines[at - 1]?.trim() ?? "");
}

it("an order and what is read of it make no hidden class of their own", async () => {
  const spawned = performance.now();
  const child = spawnProgram(
    { DATABASE_URL: database.url, DATA_DIR: folder, RATE_LIMIT_MULTIPLIER: "10000" },
    ["--log-maps", "--no-log-maps-details", `--logfile=${join(folder, "v8.log")}`],
  );
  const url = await child.listening();
  async function call(path: string, body?: object): Promise<number> {
    const answer = await fetch(`${url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: body === undefined ? {} : { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await answer.arrayBuffer();
    return answer.status;
  }
  async function calls(count: number): Promise<number[]> {
    const statuses: number[] = [];
    for (let n = 0; n < count; n++) {
      const side = n % 2 === 0 ? "buy" : "sell";
      const order = { symbol: "BTC-USD", side, quantity: 0.0001, type: "market", time_in_force: "gtc" };
      statuses.push(await call("/api/paper-trade/orders", order));
      statuses.push(await call("/api/paper-trade/portfolio"));
      statuses.push(await call("/api/market/quote/BTC-USD"));
    }
    return [...new Set(statuses)];
  }
  expect(await call("/api/risk-settings", { max_daily_trades: 1_000_000 })).toBe(200);
  expect(await calls(WARM)).toEqual([201, 200]);
  const since = (performance.now() - spawned) * 1_000;
  expect(await calls(CALLS)).toEqual([201, 200]);
  child.kill("SIGTERM");
  expect(await child.ended()).toBe(0);
  const own = busyLines(since).filter((line) => !OF_LIBRARIES.some((known) => line.includes(known)));
  expect(own).toEqual([]);
}, 60_000);

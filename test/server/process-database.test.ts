import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createTestDatabase } from "../fixtures/database.js";
import { eventually } from "../fixtures/faults.js";
import { isRunning, postmasterOf } from "../fixtures/own-postgres.js";
import { spawnProgram, type TestProcess } from "../fixtures/process.js";
import { startProxy } from "../fixtures/proxy.js";
import { openWire } from "../fixtures/wire.js";

const folder = mkdtempSync(join(tmpdir(), "tx-process-"));
const running: TestProcess[] = [];

afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await Promise.all(running.map((child) => child.ended()));
  rmSync(folder, { recursive: true, force: true });
});

function start(environment: Readonly<Record<string, string>>): TestProcess {
  const child = spawnProgram(environment);
  running.push(child);
  return child;
}

const SLOW_UPLOAD =
  "POST /api/scan/config HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";

/** What the program said of its signals. */
const messages = ({ records }: TestProcess) =>
  records.filter(({ signal, interrupts }) => signal !== undefined || interrupts !== undefined);

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function statusOf(url: string): Promise<number> {
  return (await fetch(url)).status;
}

describe("the embedded server", { timeout: 60_000 }, () => {
  it("that is killed is started again, without a restart of the program, and nothing is lost", async () => {
    const dataDir = join(folder, "killed");
    const child = start({ DATA_DIR: dataDir });
    const url = await child.listening();
    const scan = `${url}/api/scan/config`;
    const headers = { "content-type": "application/json" };
    await fetch(scan, { method: "POST", headers, body: JSON.stringify({ interval: 137 }) });
    const killed = postmasterOf(dataDir) ?? 0;
    const from = performance.now();
    process.kill(killed, "SIGKILL");
    await eventually("the next server", () => ![killed, null].includes(postmasterOf(dataDir)), 30_000);
    await eventually("ready again", async () => (await statusOf(`${url}/readyz`)) === 200, 30_000);
    process.stdout.write(`kill -9 of the server until ready: ${Math.round(performance.now() - from)} ms\n`);
    expect(await (await fetch(scan)).text()).toContain("137");
    expect(await (await fetch(`${url}/metrics`)).text()).toContain("tx_embedded_database_restarts_total 1");
    child.kill("SIGTERM");
    expect(await child.ended()).toBe(0);
    expect(postmasterOf(dataDir)).toBeNull();
  });

  it("whose files are taken away is told of by health, and ends with the program", async () => {
    const dataDir = join(folder, "gone");
    const child = start({ DATA_DIR: dataDir });
    const url = await child.listening();
    const pid = postmasterOf(dataDir) ?? 0;
    renameSync(dataDir, join(folder, "aside"));
    await eventually("not ready", async () => (await statusOf(`${url}/readyz`)) === 503);
    expect(await (await fetch(`${url}/readyz`)).text()).toContain("the cluster is gone from");
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({
      status: "degraded",
      database: "disconnected",
    });
    const detailed = await fetch(`${url}/health/detailed`);
    expect(detailed.status).toBe(200);
    expect(await detailed.json()).toMatchObject({
      status: "degraded",
      components: { database: { status: "disconnected", reason: expect.stringContaining("gone from") } },
    });
    expect(await statusOf(`${url}/livez`)).toBe(200);
    rmSync(join(folder, "aside"), { recursive: true });
    child.kill("SIGTERM");
    await child.ended();
    expect(child.records.map(({ msg }) => msg)).not.toContain("did not stop in time");
    await eventually("the end of the server", () => !isRunning(pid), 10_000);
    expect(existsSync(join(dataDir, "postgres"))).toBe(false);
  });

  it("ends with a program that is told twice, and with one that is interrupted thrice", async () => {
    const dataDir = join(folder, "twice");
    for (const [signals, code] of [
      [["SIGTERM", "SIGTERM"], 0],
      [["SIGINT", "SIGINT", "SIGINT"], 1],
    ] as const) {
      const child = start({ DATA_DIR: dataDir });
      const url = await child.listening();
      const pid = postmasterOf(dataDir) ?? 0;
      // A request underway, whose client leaves: the drain waits for it first.
      const wire = await openWire(url, SLOW_UPLOAD);
      await new Promise((resolve) => setTimeout(resolve, 100));
      for (const [i, signal] of signals.entries()) {
        child.kill(signal);
        await eventually("the signal", () => messages(child).length > i);
      }
      wire.socket.destroy();
      expect(await child.ended()).toBe(code);
      await eventually("the end of the server", () => !isRunning(pid), 10_000);
    }
    expect(readdirSync(join(dataDir, "postgres"))).not.toContain("postmaster.pid");
  });
});

describe("a configured database that is not there at the start", { timeout: 60_000 }, () => {
  it("is waited for: alive, not ready, every other request asked to come back; then served", async () => {
    const database = await createTestDatabase("empty");
    const [port, databasePort] = [await freePort(), await freePort()];
    const { user = "", password = "", host = "", port: realPort = 0, database: name } = database.connection;
    const credentials = password ? `${user}:${encodeURIComponent(String(password))}` : user;
    const child = start({
      PORT: String(port),
      DATABASE_URL: `postgresql://${credentials}@127.0.0.1:${databasePort}/${name}`,
    });
    await child.logged("TX waits for its database and answers 503");
    const url = `http://127.0.0.1:${port}`;
    expect(await (await fetch(`${url}/livez`)).json()).toEqual({ status: "alive" });
    const ready = await fetch(`${url}/readyz`);
    expect(ready.status).toBe(503);
    expect(ready.headers.get("retry-after")).toBe("2");
    expect(await ready.json()).toEqual({
      status: "not_ready",
      reason: expect.stringContaining("ECONNREFUSED"),
    });
    for (const path of ["/", "/api/alerts", "/health", "/nowhere?x=1"]) {
      const answer = await fetch(`${url}${path}`, { method: path === "/" ? "GET" : "POST", body: null });
      expect(answer.status, path).toBe(503);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await answer.json()).toMatchObject({ success: false, code: "database_unavailable" });
    }
    const proxy = await startProxy({ host, port: realPort }, databasePort);
    const from = performance.now();
    await child.logged("TX is listening");
    expect(await statusOf(`${url}/readyz`)).toBe(200);
    process.stdout.write(
      `from the database's start until ready: ${Math.round(performance.now() - from)} ms\n`,
    );
    child.kill("SIGTERM");
    expect(await child.ended()).toBe(0);
    await proxy.close();
    await database.drop();
  });

  it("does not keep the program from stopping", async () => {
    const child = start({ DATABASE_URL: `postgresql://u:pw@127.0.0.1:${await freePort()}/d` });
    await child.logged("the database cannot be used yet; trying again");
    child.kill("SIGTERM");
    expect(await child.ended()).toBe(0);
    await child.logged("stopped");
  });
});

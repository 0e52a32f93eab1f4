import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { readConfig } from "../../src/platform/config.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { spawnProgram, type TestProcess } from "../fixtures/process.js";
import { openWire } from "../fixtures/wire.js";

const folder = mkdtempSync(join(tmpdir(), "tx-process-"));
const running: TestProcess[] = [];
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await Promise.all(running.map((child) => child.ended()));
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

function start(environment: Readonly<Record<string, string>>, options: readonly string[] = []): TestProcess {
  const child = spawnProgram({ DATA_DIR: join(folder, "plain"), ...environment }, options);
  running.push(child);
  return child;
}

const overTestDatabase = () => start({ DATABASE_URL: database.url });

const slowUpload = (length: number) =>
  `POST /api/scan/config HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen within 5 s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe("a stop", () => {
  it("answers what is underway, says goodbye to sockets, cuts the rest and exits 0 within 10 s", async () => {
    const child = overTestDatabase();
    const url = await child.listening();
    const sockets = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = new WebSocket(`${url.replace("http", "ws")}/ws?topics=alerts`);
        await once(socket, "open");
        return { socket, closed: once(socket, "close").then(([code]) => Number(code)) };
      }),
    );
    const body = JSON.stringify({ interval: 120 });
    const upload = await openWire(url, slowUpload(body.length));
    const probe = await openWire(url, "GET /readyz HTTP/1.1\r\nhost: localhost\r\n");
    const other = await openWire(url, "GET /api/scan/status HTTP/1.1\r\nhost: localhost\r\n");
    const halfOpen = await openWire(url, "GET / HTTP/1.1\r\nhost: loc");
    // Opened last: once it is answered, the server has accepted the others.
    const idle = await openWire(url, "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await until(() => idle.text().includes("alive"), "the first answer");
    await new Promise((resolve) => setTimeout(resolve, 100));

    const asked = performance.now();
    child.kill("SIGTERM");
    await child.logged("stopping");
    await idle.closed;
    probe.socket.write("\r\n");
    other.socket.write("\r\n");
    await until(() => probe.text().includes("503"), "the answer of the probe");
    expect(probe.text()).toContain('{"status":"not_ready","reason":"shutting down"}');
    await until(() => other.text().includes("503"), "the refusal");
    expect(other.text()).toContain('"code":"shutting_down"');
    expect(other.text().toLowerCase()).toContain("connection: close");
    expect(upload.text()).toBe("");
    upload.socket.write(body);
    await upload.closed;
    expect(upload.text()).toMatch(/^HTTP\/1\.1 200 /);
    expect(upload.text()).toContain('"interval":120');
    expect(new Set(await Promise.all(sockets.map(({ closed }) => closed)))).toEqual(new Set([1001]));
    expect(await child.ended()).toBe(0);
    await halfOpen.closed;
    const tookMs = performance.now() - asked;
    process.stdout.write(`SIGTERM with 105 connections to exit: ${Math.round(tookMs)} ms\n`);
    expect(tookMs).toBeLessThan(10_000);
  });

  it("gives up on a request that never ends, and on sockets that never answer", async () => {
    const child = overTestDatabase();
    const url = await child.listening();
    const key = "GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n";
    const deaf = await openWire(
      url,
      `${key}sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    await until(() => deaf.text().includes("101"), "the upgrade");
    const upload = await openWire(url, slowUpload(1_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const asked = performance.now();
    child.kill("SIGTERM");
    expect(await child.ended()).toBe(0);
    await Promise.all([deaf.closed, upload.closed]);
    expect(performance.now() - asked).toBeLessThan(10_000);
  });

  it("asked for twice, as a group of processes is, is still a whole one", async () => {
    const child = overTestDatabase();
    const url = await child.listening();
    const body = JSON.stringify({ interval: 120 });
    const upload = await openWire(url, slowUpload(body.length));
    const idle = await openWire(url, "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await until(() => idle.text().includes("alive"), "the first answer");
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const signal of ["SIGTERM", "SIGTERM", "SIGINT"] as const) {
      child.kill(signal);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await child.logged("already stopping");
    upload.socket.write(body);
    await upload.closed;
    expect(upload.text()).toMatch(/^HTTP\/1\.1 200 /);
    expect(await child.ended()).toBe(0);
  });

  it("does not wait for anything when interrupted for the third time", async () => {
    const child = overTestDatabase();
    const url = await child.listening();
    await openWire(url, slowUpload(1_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill("SIGINT");
    await child.logged("stopping");
    const again = performance.now();
    child.kill("SIGINT");
    await child.logged("already stopping");
    child.kill("SIGINT");
    expect(await child.ended()).toBe(1);
    expect(performance.now() - again).toBeLessThan(3_000);
  });
});

describe("a crash", () => {
  const planted = (text: string) => [
    "--import",
    `data:text/javascript,process.on("SIGUSR2", () => { ${text} })`,
  ];

  it.each([
    ["unhandledRejection", 'Promise.reject(new Error("planted"))'],
    ["uncaughtException", 'throw new Error("planted")'],
  ])("of %s is logged, drains and exits 1", async (event, text) => {
    const child = start({ DATABASE_URL: database.url }, planted(encodeURIComponent(text)));
    const url = await child.listening();
    const socket = new WebSocket(`${url.replace("http", "ws")}/ws`);
    await once(socket, "open");
    const closed = once(socket, "close");
    const asked = performance.now();
    child.kill("SIGUSR2");
    expect(await child.ended()).toBe(1);
    expect(performance.now() - asked).toBeLessThan(3_000);
    expect((await closed)[0]).toBe(1001);
    const record = await child.logged("the program has a bug and stops");
    expect(record).toMatchObject({ level: 60, event, err: { message: "planted" } });
  });
});

describe("a configuration", () => {
  it("that is wrong exits 2 before anything is opened and lists every problem", async () => {
    const child = start({
      NODE_ENV: "production",
      PORT: "http",
      MARKET_DATA: "synthetic,yahoo",
      ALERT_CONFIDENCE_THRESHOLD: "2",
      CORS_ORIGINS: "*,https://app.example.com/path",
      DATA_DIR: join(folder, "never"),
    });
    expect(await child.ended()).toBe(2);
    const text = child.records.map(({ msg }) => msg).join("\n");
    for (const name of ["PORT", "MARKET_DATA", "ALERT_CONFIDENCE_THRESHOLD", "CORS_ORIGINS: \\*"]) {
      expect(text).toMatch(new RegExp(`- ${name}`));
    }
    expect(existsSync(join(folder, "never"))).toBe(false);
  });

  it("that listens beyond loopback without authentication is refused", async () => {
    const child = start({ HOST: "0.0.0.0" });
    expect(await child.ended()).toBe(2);
    expect(child.records.map(({ msg }) => msg).join("\n")).toContain("HOST 0.0.0.0 is beyond loopback");
  });

  it.each<[string, Record<string, string>, string]>([
    [":: with a short secret", { HOST: "::", SECRET_KEY: "short", ADMIN_API_KEY: "x" }, "has 5 characters"],
    ["production without a secret", { NODE_ENV: "production" }, "SECRET_KEY is required"],
    [
      "production with the secret of an example",
      { NODE_ENV: "production", SECRET_KEY: "change-me-change-me-change-me-change-me" },
      "looks like a placeholder",
    ],
  ])("for %s is refused", (_name, environment, reason) => {
    expect(() => readConfig(environment)).toThrow(reason);
  });
});

describe("a start that fails", () => {
  it.each<[string, Record<string, string>, RegExp]>([
    [
      "over a symbol that no source has",
      { MARKET_DATA: "files", FILES_DIR: folder, SCAN_SYMBOLS: "AAPL" },
      /^SCAN_SYMBOLS: AAPL: /,
    ],
    [
      "over a folder that is not there",
      { MARKET_DATA: "files", FILES_DIR: "/nope" },
      /^FILES_DIR: \/nope cannot be read: /,
    ],
  ])("%s names the variable, and makes no folder that is not used", async (_, environment, reason) => {
    const dataDir = join(folder, "unused");
    const child = start({ DATABASE_URL: database.url, DATA_DIR: dataDir, ...environment });
    expect(await child.ended()).toBe(1);
    expect((await child.logged("TX could not start")).reason).toMatch(reason);
    expect(existsSync(dataDir)).toBe(false);
  });
});

describe("the embedded database", () => {
  const dataDir = join(folder, "embedded");
  const lockFile = join(dataDir, "postgres", "postmaster.pid");

  it("is stopped when the port is in use, which the log says in words", async () => {
    const blocker = createServer();
    blocker.listen(0, "127.0.0.1");
    await once(blocker, "listening");
    const address = blocker.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const child = start({ DATA_DIR: dataDir, PORT: String(port) });
    expect(await child.ended()).toBe(1);
    blocker.close();
    const record = await child.logged("TX could not start");
    expect(record.reason).toBe(`127.0.0.1:${port} is in use: stop what listens there, or set PORT`);
    expect(existsSync(join(dataDir, "postgres", "PG_VERSION"))).toBe(true);
    expect(existsSync(lockFile)).toBe(false);
  });

  it("is stopped when the program is told to stop while it starts", async () => {
    const child = start({ DATA_DIR: dataDir });
    await child.logged("embedded Postgres: started");
    child.kill("SIGTERM");
    expect(await child.ended()).toBe(0);
    expect(existsSync(lockFile)).toBe(false);
  });

  it("lets a warm start be ready within seconds", async () => {
    const started = performance.now();
    const child = start({ DATA_DIR: dataDir });
    const url = await child.listening();
    const ready = await fetch(`${url}/readyz`);
    const tookMs = performance.now() - started;
    expect(ready.status).toBe(200);
    process.stdout.write(`warm start until ready: ${Math.round(tookMs)} ms\n`);
    expect(tookMs).toBeLessThan(15_000);
    child.kill("SIGTERM");
    expect(await child.ended()).toBe(0);
    expect(existsSync(lockFile)).toBe(false);
  });
});

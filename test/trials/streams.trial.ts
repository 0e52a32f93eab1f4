import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { createBus } from "../../src/platform/bus.js";
import { createEventLog } from "../../src/platform/event-log.js";
import { openTestDatabase } from "../fixtures/database.js";
import { silentLog } from "../fixtures/log.js";
import { hasRedisServer, startTestRedis } from "../fixtures/redis.js";
import { startProcess } from "./process.js";
import { openSetting } from "./setting.js";
import { byEvents, bySocket, bySocketIo, type Reader, startReader } from "./stream-readers.js";

const CUTS = Number(process.env.TRIAL_CUTS ?? 1_000);
const READERS_A_KIND = 4;
const TOPICS = ["alerts", "scan"];
const STREAM = "tx:events";
const setting = openSetting();
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The network before an instance, which can break: connections go through it, and are cut in the middle of what they carry. */
async function openNetwork(url: string) {
  const { hostname, port } = new URL(url);
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.pipe(upstream).pipe(client);
    for (const socket of pair) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        pairs.delete(pair);
        for (const each of pair) each.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens on a port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    /** Cuts a connection, if there is one. */
    cut(choice: number): boolean {
      const all = [...pairs];
      if (all.length === 0) return false;
      for (const socket of all[choice % all.length]) socket.resetAndDestroy();
      return true;
    },
    close() {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      server.close();
    },
  };
}

const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

async function startServers() {
  const redis = hasRedisServer() ? await startTestRedis() : null;
  if (redis !== null) closing.push(() => redis.stop());
  const start = (name: string) =>
    startProcess({
      DATABASE_URL: setting.database.url,
      DATA_DIR: join(setting.folder, name),
      MARKET_DATA: "synthetic",
      ENABLE_BACKGROUND_WORKERS: "false",
      RATE_LIMIT_MULTIPLIER: "10000",
      ...(redis === null ? {} : { REDIS_URL: redis.url, EVENT_STREAM: STREAM }),
    });
  const servers = [await start("a"), await start("b")];
  for (const server of servers) {
    closing.push(async () => {
      server.kill("SIGKILL");
      await server.ended();
    });
  }
  const networks = await Promise.all(servers.map(({ url }) => openNetwork(url)));
  closing.push(() => {
    for (const network of networks) network.close();
  });
  return { networks, redis: redis?.url ?? null };
}

/** What both instances copied to one stream of Redis, by topic, in its order. */
async function copiedTo(url: string): Promise<Record<string, number[]>> {
  const redis = new Redis(url);
  const entries = await redis.xrange(STREAM, "-", "+");
  redis.disconnect();
  const copied: Record<string, number[]> = { alerts: [], scan: [] };
  for (const [, [, topic, , , , data]] of entries) {
    copied[topic]?.push((JSON.parse(data) as { n: number }).n);
  }
  return copied;
}

/** Writes events on both topics until it is told to end. @returns what was written, by topic. */
function startWriting() {
  const written: Record<string, number[]> = { alerts: [], scan: [] };
  let running = true;
  const done = (async () => {
    const database = await openTestDatabase(setting.database);
    const bus = createBus((error) => {
      throw error;
    });
    const eventLog = createEventLog(database, bus, silentLog);
    const rng = createRng(10, 1);
    let n = 0;
    while (running) {
      const topic = TOPICS[rng.below(2)];
      const some = Array.from({ length: 1 + rng.below(3) }, () => n++);
      const padding = "x".repeat(rng.below(2_000));
      await database.transaction((sql) =>
        eventLog.append(
          sql,
          some.map((each) => ({ topic, payload: { n: each, padding } })),
        ),
      );
      written[topic].push(...some);
      await sleep(5 + rng.below(10));
    }
    await database.close();
    return written;
  })();
  return {
    end() {
      running = false;
      return done;
    },
  };
}

const isThere = ({ numbers }: Reader, written: Readonly<Record<string, readonly number[]>>) =>
  TOPICS.every((topic) => numbers[topic].length >= written[topic].length);

describe("streams over a network that breaks", () => {
  it(`lose nothing and tell nothing twice through ${CUTS} cuts, by WebSocket, Socket.IO and server-sent events, between two instances`, async () => {
    const { networks, redis } = await startServers();
    const urls = networks.map(({ url }) => url);
    const kinds = [
      ["WebSocket", bySocket],
      ["server-sent events", byEvents],
      ["Socket.IO", bySocketIo],
    ] as const;
    const readers = kinds.flatMap(([name, kind]) =>
      Array.from({ length: READERS_A_KIND }, (_, k) =>
        startReader(name, kind, k % 2 === 0 ? urls : [...urls].reverse(), TOPICS),
      ),
    );
    const writing = startWriting();
    const rng = createRng(10, 2);
    let cuts = 0;
    while (cuts < CUTS) {
      await sleep(5 + rng.below(30));
      if (networks[rng.below(2)].cut(rng.below(1_000))) cuts++;
    }
    const written = await writing.end();
    const deadline = Date.now() + 30_000;
    while (!readers.every((reader) => isThere(reader, written)) && Date.now() < deadline) await sleep(50);
    for (const reader of readers) reader.stop();
    const events = TOPICS.reduce((sum, topic) => sum + written[topic].length, 0);
    for (const reader of readers) {
      expect({ gaps: reader.gaps, doubles: reader.doubles }, reader.name).toEqual({ gaps: 0, doubles: 0 });
      for (const topic of TOPICS)
        expect(reader.numbers[topic], `${reader.name} ${topic}`).toEqual(written[topic]);
    }
    if (redis !== null) expect(await copiedTo(redis)).toEqual(written);
    const connections = readers.reduce((sum, reader) => sum + reader.connections, 0);
    process.stdout.write(
      `${cuts} cuts, ${events} events to each of ${readers.length} readers over ${connections} connections to two instances` +
        `${redis === null ? "" : " with one Redis, whose stream has each once"}: 0 gaps, 0 doubled, 0 lost\n`,
    );
  });
});

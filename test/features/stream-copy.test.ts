import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { createStreamCopy } from "../../src/features/stream/copy.js";
import { messageOf } from "../../src/platform/errors.js";
import { createRedisStream } from "../../src/platform/redis-stream.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { append, type EventInstance, numbers, startEventInstance } from "../fixtures/event-instances.js";
import { expectNothingUnhandled } from "../fixtures/faults.js";
import { createRecordedLog } from "../fixtures/log.js";
import { ask } from "../fixtures/own-postgres.js";
import { hasRedisServer, startTestRedis, type TestRedis } from "../fixtures/redis.js";

expectNothingUnhandled();

const KEY = "tx:events";

describe.skipIf(!hasRedisServer())("the copy of events in Redis", () => {
  let server: TestDatabase;
  let redis: TestRedis;
  let asked: Redis;
  let instance: EventInstance;
  beforeAll(async () => {
    [server, redis] = await Promise.all([createTestDatabase(), startTestRedis()]);
    asked = new Redis(redis.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    asked.on("error", () => undefined);
  });
  afterAll(async () => {
    asked.disconnect();
    await Promise.all([server.drop(), redis.stop()]);
  });
  beforeEach(async () => {
    await asked.flushall();
    await ask(server.connection as Parameters<typeof ask>[0], "truncate events restart identity");
    instance = await startEventInstance(server.connection);
  });

  /** What one instance does at each commit. */
  function copying(length = 100_000) {
    const { log, lines } = createRecordedLog();
    const stream = createRedisStream(redis.url, KEY, length);
    onTestFinished(stream.close);
    const loop = createStreamCopy({ eventLog: instance.eventLog, stream, log });
    return { lines, run: () => loop.run(0, new AbortController().signal) };
  }

  const tell = (count: number, topic = "alerts") =>
    append(instance, ...Array.from({ length: count }, (_, n) => ({ topic, payload: { n, text: '"€"' } })));

  /** What a consumer reads, as it would be in the log. */
  async function read() {
    const entries = await asked.xrange(KEY, "-", "+");
    return entries.map(([id, fields]) => {
      const { topic, time, data } = Object.fromEntries(
        Array.from({ length: fields.length / 2 }, (_, k) => fields.slice(2 * k, 2 * k + 2)),
      ) as Record<string, string>;
      expect(id).toMatch(/^[1-9]\d*-0$/);
      return { seq: Number.parseInt(id, 10), topic, time: Date.parse(time), payload: JSON.parse(data) };
    });
  }

  async function expectWhole(): Promise<void> {
    const kept = await instance.eventLog.readFrom(0, 100_000);
    const copied = await read();
    expect(copied).toEqual(kept.map((event) => ({ ...event, time: Math.floor(event.time) })));
  }

  it("has every event once, under its number, with its topic, its time and what it carries", async () => {
    await tell(450);
    await tell(3, "rules:somebody");
    const { run } = copying();
    await run();
    await expectWhole();
    await run();
    await tell(1);
    await run();
    expect((await read()).map(({ seq }) => seq)).toEqual(numbers(1, 454));
    await expectWhole();
  });

  it("is the same from several instances at once, whose connections are cut again and again", async () => {
    const rng = createRng(5);
    const instances = Array.from({ length: 3 }, () => copying());
    let failures = 0;
    for (let round = 0; round < 40; round++) {
      await tell(1 + rng.below(30));
      const runs = instances.map(({ run }) =>
        run().catch((error: unknown) => {
          expect(messageOf(error)).toMatch(/Redis does not answer|[Cc]onnection|Command/);
          failures++;
        }),
      );
      if (round % 2 === 1) await asked.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await Promise.all(runs);
    }
    await instances[0].run();
    await expectWhole();
    expect(failures).toBeGreaterThan(0);
  });

  it("is made again from what is kept where Redis has forgotten it", async () => {
    await tell(20);
    const { run } = copying();
    await run();
    await redis.kill();
    await tell(5);
    await expect(run()).rejects.toThrow(/Redis does not answer/);
    await redis.start();
    await run();
    expect(await read()).toHaveLength(25);
    await expectWhole();
  });

  it("goes on after what was taken out of it", async () => {
    await tell(20);
    const { run } = copying();
    await run();
    await asked.xdel(KEY, "20-0", "19-0");
    await tell(1);
    await run();
    expect((await read()).map(({ seq }) => seq)).toEqual([...numbers(1, 18), 21]);
    await asked.xtrim(KEY, "MAXLEN", 0);
    await tell(1);
    await run();
    expect((await read()).map(({ seq }) => seq)).toEqual([22]);
  });

  it("says which events were forgotten before they were copied", async () => {
    await tell(10);
    const { run, lines } = copying();
    await run();
    await tell(10);
    await ask(server.connection as Parameters<typeof ask>[0], "delete from events where seq < 16");
    await run();
    expect((await read()).map(({ seq }) => seq)).toEqual([...numbers(1, 10), ...numbers(16, 5)]);
    expect(lines().filter((line) => line.includes("forgotten"))).toEqual([
      expect.stringContaining('"after":10,"next":16'),
    ]);
  });

  it("keeps about as many as it is told to", async () => {
    const { run } = copying(1_000);
    for (let round = 0; round < 5; round++) await tell(500);
    await run();
    const copied = await read();
    expect(copied.length).toBeGreaterThanOrEqual(1_000);
    expect(copied.length).toBeLessThan(1_300);
    expect(copied.at(-1)?.seq).toBe(2_500);
  });

  it.each([
    ["is longer", 30, 10],
    ["is shorter", 5, 10],
  ])("refuses the stream of another database that %s", async (_, theirs, ours) => {
    await tell(theirs, "of-another");
    await copying().run();
    await ask(server.connection as Parameters<typeof ask>[0], "truncate events restart identity");
    await tell(ours);
    await expect(copying().run()).rejects.toThrow(
      `event ${theirs}, with which the stream ends, is not of this database: give it another stream`,
    );
    expect(await read()).toHaveLength(theirs);
  });

  it("refuses a stream of something else, and a key that is none", async () => {
    await tell(1);
    await asked.xadd(KEY, "*", "some", "thing");
    await expect(copying().run()).rejects.toThrow(/is no event of TX/);
    await asked.set(KEY, "text");
    await expect(copying().run()).rejects.toThrow(/WRONGTYPE/);
  });
});

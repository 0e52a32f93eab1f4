import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/platform/database.js";
import type { Claim } from "../../src/platform/job-queue.js";
import { isEnd, JOB_FIELDS, type JobState, type JobStatus, topicOfJob } from "../../src/platform/jobs.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createTestQueue, order, type TestQueue } from "../fixtures/jobs.js";

let at: TestDatabase;
let database: Database;
let here: TestQueue;
let there: TestQueue;

beforeAll(async () => {
  at = await createTestDatabase();
  database = await openTestDatabase(at, { poolSize: 12 });
  here = createTestQueue(database);
  there = createTestQueue(database);
});
afterEach(() => database.query("truncate jobs, events"));
afterAll(async () => {
  await database.close();
  await at.drop();
});

async function stateOf(id: number): Promise<JobState> {
  const [job] = await database.query<JobState>(`select ${JOB_FIELDS} from jobs where id = $1`, [id]);
  return job;
}

async function claimed(queue = here.queue): Promise<Claim> {
  const claim = await queue.claim(["test"]);
  if (claim === null) throw new Error("nothing to claim");
  return claim;
}

const expire = (id: number) =>
  database.query("update jobs set locked_until = now() - interval '1 second' where id = $1", [id]);

describe("an order", () => {
  it("waits, is taken by one, and ends once", async () => {
    const { id } = await order(here.queue, 7);
    expect(await stateOf(id)).toMatchObject({ status: "queued", attempts: 0, startedAt: null });
    const claim = await claimed();
    expect(claim).toMatchObject({ id, status: "running", attempts: 1, input: { n: 7 }, checkpoint: null });
    expect(await there.queue.claim(["test"])).toBeNull();
    await here.queue.finish(claim, { status: "succeeded", result: { n: 8 } });
    expect(await here.queue.finish(claim, { status: "failed", error: "late" })).toBeNull();
    expect(await here.queue.cancel(id)).toBeNull();
    expect(await stateOf(id)).toMatchObject({ status: "succeeded", error: null });
  });

  it("is of the market that it runs on, and goes on from no attempt on another", async () => {
    const invented = createTestQueue(database, [], 2, true);
    const { id, synthetic } = await order(invented.queue);
    expect(synthetic).toBe(true);
    const first = await claimed(invented.queue);
    await invented.queue.saveCheckpoint(first, { at: 5 });
    await invented.queue.giveBack(first, { counts: false, error: null, afterMs: 0 });
    const second = await claimed(invented.queue);
    expect(second).toMatchObject({ id, synthetic: true, checkpoint: { at: 5 } });
    await invented.queue.giveBack(second, { counts: false, error: null, afterMs: 0 });
    expect(await claimed()).toMatchObject({ id, synthetic: false, checkpoint: null });
  });

  it("of another kind than asked for is left alone", async () => {
    await order(here.queue, 1, { kind: "other" });
    expect(await here.queue.claim(["test"])).toBeNull();
  });

  it("made fifty times at once under one key is one job", async () => {
    const made = await Promise.all(
      Array.from({ length: 50 }, (_, i) => order(i % 2 === 0 ? here.queue : there.queue, 3, { key: "same" })),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const [{ count }] = await database.query<{ count: number }>("select count(*) from jobs");
    expect(count).toBe(1);
    await expect(order(here.queue, 4, { key: "same" })).rejects.toMatchObject({
      code: "idempotency_key_reused",
    });
    expect((await order(here.queue, 4, { key: "same", userId: "bob" })).id).not.toBe(made[0].id);
  });

  it("beyond the limit of a user is refused with its name, also when many come at once", async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => order(n % 2 === 0 ? here.queue : there.queue, n, { limit: 5 })),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
    await expect(order(here.queue, 1, { limit: 5 })).rejects.toMatchObject({
      code: "job_limit_exceeded",
      message: expect.stringContaining("JOBS_PER_USER"),
    });
    expect((await order(here.queue, 1, { limit: 5, userId: "bob" })).status).toBe("queued");
  });
});

describe("claims", () => {
  it("of two processes that take 200 jobs at once never overlap", async () => {
    for (let n = 0; n < 200; n++) await order(here.queue, n);
    const takers = Array.from({ length: 10 }, async (_, i) => {
      const mine: number[] = [];
      const { queue } = i % 2 === 0 ? here : there;
      for (let claim = await queue.claim(["test"]); claim !== null; claim = await queue.claim(["test"])) {
        mine.push(claim.id);
      }
      return mine;
    });
    const taken = (await Promise.all(takers)).flat();
    expect(taken).toHaveLength(200);
    expect(new Set(taken).size).toBe(200);
  });

  it("go to the user with the fewest running first", async () => {
    for (let n = 0; n < 4; n++) await order(here.queue, n, { userId: "ann" });
    await order(here.queue, 9, { userId: "bob" });
    const users = [await claimed(), await claimed(), await claimed()].map(({ userId }) => userId);
    expect(users).toEqual(["ann", "bob", "ann"]);
  });
});

describe("a process that is gone", () => {
  it("loses its job to another, which goes on from the checkpoint; what it writes then is refused", async () => {
    const { id } = await order(here.queue);
    const lost = await claimed();
    expect(await here.queue.saveCheckpoint(lost, { at: 5 })).toBe(true);
    expect(await there.queue.recover()).toEqual([]);
    await expire(id);
    expect(await there.queue.recover()).toMatchObject([{ id, status: "queued", attempts: 1 }]);
    const claim = await claimed(there.queue);
    expect(claim).toMatchObject({ id, attempts: 2, checkpoint: { at: 5 } });
    expect(await here.queue.beat(lost, { phase: "late", done: 1, total: 2, etaS: null })).toBeNull();
    expect(await here.queue.saveCheckpoint(lost, { at: 1 })).toBe(false);
    expect(await here.queue.finish(lost, { status: "succeeded", result: 1 })).toBeNull();
    expect(await there.queue.finish(claim, { status: "succeeded", result: 2 })).not.toBeNull();
  });

  it("is found out by its session before its time is over", async () => {
    const other = await openTestDatabase(at);
    const { queue } = createTestQueue(other);
    const { id } = await order(here.queue);
    await claimed(queue);
    await other.close();
    expect(await here.queue.recover()).toEqual([]);
    await database.query("update jobs set heartbeat_at = now() - interval '4 seconds'");
    expect(await here.queue.recover()).toMatchObject([{ id, status: "queued" }]);
  });

  it("for the last time permitted fails the job with the reason", async () => {
    const { id } = await order(here.queue, 0, { maxAttempts: 2 });
    for (const status of ["queued", "failed"]) {
      await claimed();
      await expire(id);
      expect(await there.queue.recover()).toMatchObject([{ id, status }]);
    }
    expect(await stateOf(id)).toMatchObject({
      status: "failed",
      attempts: 2,
      error: "The process that ran attempt 2 of 2 is gone",
    });
    expect(await here.queue.claim(["test"])).toBeNull();
  });

  it("does not keep a job from being cancelled", async () => {
    const { id } = await order(here.queue);
    await claimed();
    await here.queue.cancel(id);
    await database.query("update jobs set cancel_requested_at = now() - interval '1.5 seconds'");
    expect(await there.queue.recover()).toMatchObject([{ id, status: "cancelled" }]);
  });
});

describe("jobs that have ended", () => {
  it("are forgotten after a time, with those that have not left alone", async () => {
    const [old, young, waiting] = [await order(here.queue), await order(here.queue), await order(here.queue)];
    for (const { id } of [old, young]) await here.queue.cancel(id);
    await database.query("update jobs set finished_at = now() - interval '2 days' where id = $1", [old.id]);
    expect(await here.queue.prune(86_400_000)).toBe(1);
    expect(await stateOf(old.id)).toBeUndefined();
    expect([await stateOf(young.id), await stateOf(waiting.id)].map(({ status }) => status)).toEqual([
      "cancelled",
      "queued",
    ]);
  });
});

/** The states as a table: what each act makes of them; acts that are not listed change nothing. */
type Act = "claim" | "beat" | "succeed" | "fail" | "giveBack" | "cancel" | "expire" | "ignore";
const ACTS: readonly Act[] = ["claim", "beat", "succeed", "fail", "giveBack", "cancel", "expire", "ignore"];

function next(status: JobStatus, act: Act, facts: { attempts: number; cancelling: boolean }): JobStatus {
  if (status === "queued") {
    if (act === "claim") return "running";
    return act === "cancel" ? "cancelled" : "queued";
  }
  if (status !== "running") return status;
  if (act === "succeed") return "succeeded";
  if (act === "fail") return "failed";
  if (act === "giveBack") return facts.cancelling ? "cancelled" : "queued";
  if (act === "ignore") return facts.cancelling ? "cancelled" : "running";
  if (act !== "expire") return "running";
  if (facts.cancelling) return "cancelled";
  return facts.attempts >= 3 ? "failed" : "queued";
}

describe("the states of a job", () => {
  async function perform(act: Act, id: number, claim: Claim | null): Promise<Claim | null> {
    const { queue } = here;
    if (act === "claim") return (await queue.claim(["test"])) ?? claim;
    if (act === "cancel") await queue.cancel(id);
    if (act === "expire") {
      await expire(id);
      await queue.recover();
    }
    if (act === "ignore") {
      await database.query(
        "update jobs set cancel_requested_at = now() - interval '2 s' where status = 'running' and cancel_requested_at is not null",
      );
      await queue.recover();
    }
    if (claim === null) return null;
    if (act === "beat") await queue.beat(claim, { phase: "p", done: 1, total: 2, etaS: 1 });
    if (act === "succeed") await queue.finish(claim, { status: "succeeded", result: 1 });
    if (act === "fail") await queue.finish(claim, { status: "failed", error: "no" });
    if (act === "giveBack") await queue.giveBack(claim, { counts: true, error: "later", afterMs: 0 });
    return claim;
  }

  it("follow the table whatever happens, and an end is an end", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...ACTS), { minLength: 1, maxLength: 14 }), async (acts) => {
        const { id } = await order(here.queue);
        let claim: Claim | null = null;
        let model: JobStatus = "queued";
        let claims = 0;
        for (const act of acts) {
          const before = await stateOf(id);
          const holds: boolean = claim !== null && claim.claims === before.claims;
          const facts = { attempts: before.attempts, cancelling: before.cancelRequestedAt !== null };
          // Who has lost the job changes nothing any more.
          const able: boolean = holds || !["beat", "succeed", "fail", "giveBack"].includes(act);
          claim = await perform(act, id, claim);
          if (able) model = next(model, act, facts);
          const after = await stateOf(id);
          expect({ acts, act, status: after.status }).toEqual({ acts, act, status: model });
          expect(after.claims).toBeGreaterThanOrEqual(claims);
          if (isEnd(before.status)) expect(after).toEqual(before);
          expect(after.finishedAt === null).toBe(!isEnd(after.status));
          claims = after.claims;
        }
        const events = await here.eventLog.readAfter(topicOfJob(id), 0, 1_000);
        expect(events.at(-1)?.payload).toMatchObject({ status: model });
        expect(events.filter(({ payload }) => isEnd((payload as JobState).status)).length).toBe(
          isEnd(model) ? 1 : 0,
        );
        await database.query("truncate jobs, events");
      }),
      { numRuns: 60, seed: 20_261_121 },
    );
  });
});

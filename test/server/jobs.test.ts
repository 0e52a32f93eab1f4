import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createLoop } from "../../src/platform/loop.js";
import { type EventStream, followEvents } from "../fixtures/event-stream.js";
import { eventually } from "../fixtures/faults.js";
import { ADMIN_KEY, KEYED, keyFor } from "../fixtures/keyed.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { openSocket } from "../fixtures/socket.js";

let program: TestProgram;
let address: string;
const keys: Record<"ann" | "bob" | "vic" | "admin", string> = { ann: "", bob: "", vic: "", admin: ADMIN_KEY };

beforeAll(async () => {
  program = await startTestProgram({ environment: { ...KEYED, JOBS_PER_USER: "4" } });
  address = await program.listen();
  keys.ann = await keyFor(program, "ann", "trader");
  keys.bob = await keyFor(program, "bob", "trader");
  keys.vic = await keyFor(program, "vic", "viewer");
});
afterAll(() => program.close());
beforeEach(() => program.parts.database.query("truncate jobs, events"));

type Caller = keyof typeof keys;
const as = (caller: Caller, more: Record<string, string> = {}) => ({ "x-api-key": keys[caller], ...more });

const ORDER = { symbols: ["aapl"], interval: "1h", from: "2024-01-02", to: "2024-01-10" };

const post = (caller: Caller, payload: unknown, headers: Record<string, string> = {}, kind = "backfill") =>
  program.call({
    method: "POST",
    url: `/api/jobs/${kind}`,
    headers: as(caller, headers),
    payload: payload as object,
  });
const get = (caller: Caller, path: string) => program.call({ url: path, headers: as(caller) });
const cancel = (caller: Caller, id: number) =>
  program.call({ method: "POST", url: `/api/jobs/${id}/cancel`, headers: as(caller) });

async function ordered(caller: Caller, payload: unknown = ORDER): Promise<number> {
  const answer = await post(caller, payload);
  expect(answer.statusCode, answer.body).toBe(202);
  return answer.json().id;
}

/** Lets the program take jobs until the test is over. */
function work(): void {
  const { clock, log, metrics, jobFeature } = program.parts;
  if (jobFeature.taking === null) throw new Error("the program takes no jobs");
  const loop = createLoop({ ...jobFeature.taking, everyMs: () => 50 }, { clock, log, metrics });
  loop.start();
  onTestFinished(() => loop.stop());
}

async function ended(id: number): Promise<Record<string, unknown>> {
  let job: Record<string, unknown> = {};
  await eventually(`job ${id} has ended`, async () => {
    job = (await get("admin", `/api/jobs/${id}`)).json().data;
    return job.finished_at !== null;
  });
  return job;
}

function follow(caller: Caller, id: number, lastEventId?: number): Promise<EventStream> {
  const stream = followEvents(`${address}/api/jobs/${id}/events`, {
    ...as(caller),
    ...(lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) }),
  });
  return stream.then((opened) => {
    onTestFinished(() => opened.close());
    return opened;
  });
}

describe("POST /api/jobs/:kind", () => {
  it("202 gives id, status and address, and the job is done", async () => {
    const answer = await post("ann", ORDER);
    expect(answer.statusCode).toBe(202);
    const { id, status, href } = answer.json();
    expect({ status, href, location: answer.headers.location }).toEqual({
      status: "queued",
      href: `/api/jobs/${id}`,
      location: `/api/jobs/${id}`,
    });
    expect((await get("ann", href)).json().data).toMatchObject({ id, kind: "backfill", status: "queued" });
    work();
    expect(await ended(id)).toMatchObject({ status: "succeeded", pct: 100, result_href: `${href}/result` });
    const { data, kind } = (await get("ann", `${href}/result`)).json();
    expect(kind).toBe("backfill");
    expect(data).toMatchObject({ interval: "1h", missing: 0, series: [{ symbol: "AAPL", gaps: [] }] });
    expect(data.bars).toBe(6 * 7);
  });

  it("202 twice for one key is one job; 422 for the key with another order", async () => {
    const key = { "idempotency-key": "monday-1" };
    const [first, second] = [await post("ann", ORDER, key), await post("ann", ORDER, key)];
    expect(second.json().id).toBe(first.json().id);
    const spelled = await post("ann", { ...ORDER, symbols: ["AAPL"], from: "2024-01-02T00:00:00Z" }, key);
    expect(spelled.json().id).toBe(first.json().id);
    const other = await post("ann", { ...ORDER, interval: "1d" }, key);
    expect([other.statusCode, other.json().code]).toEqual([422, "idempotency_key_reused"]);
    expect((await post("bob", ORDER, key)).json().id).not.toBe(first.json().id);
    expect((await post("ann", ORDER, { "idempotency-key": "a b" })).statusCode).toBe(400);
  });

  it.each([
    ["no body", undefined, "body"],
    ["no symbols", { ...ORDER, symbols: [] }, "symbols"],
    ["a symbol that is none", { ...ORDER, symbols: ["???"] }, "symbol"],
    ["an interval that is none", { ...ORDER, interval: "7m" }, "interval"],
    ["a time that is none", { ...ORDER, from: "yesterday" }, "from"],
    ["an end before the start", { ...ORDER, to: "2024-01-01" }, "from"],
    ["a field that is not known", { ...ORDER, speed: 9 }, "speed"],
  ])("400 for %s names the field", async (_, payload, field) => {
    const answer = await post("ann", payload);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().detail.toLowerCase()).toContain(field);
  });

  it("404 for an unknown kind names those there are", async () => {
    const answer = await post("ann", {}, {}, "alchemy");
    expect([answer.statusCode, answer.json().code]).toEqual([404, "job_kind_unknown"]);
    expect(answer.json().detail).toContain("backfill");
  });

  it("403 for a viewer, 401 for nobody", async () => {
    expect((await post("vic", ORDER)).statusCode).toBe(403);
    const answer = await program.call({ method: "POST", url: "/api/jobs/backfill", payload: ORDER });
    expect(answer.statusCode).toBe(401);
  });

  it("422 beyond the jobs of a user or the size of a job, with the limit named", async () => {
    for (let i = 0; i < 4; i++) await ordered("ann");
    const many = await post("ann", ORDER);
    expect([many.statusCode, many.json().code]).toEqual([422, "job_limit_exceeded"]);
    expect(many.json().detail).toMatch(/JOBS_PER_USER.*may have 4/);
    const large = await post("bob", {
      symbols: ["BTC", "ETH"],
      interval: "1m",
      from: "2020-01-01",
      to: "2024-01-01",
    });
    expect([large.statusCode, large.json().code]).toEqual([422, "job_limit_exceeded"]);
    expect(large.json().detail).toMatch(/symbols x bars: more than 2000000/);
    const symbols = Array.from(
      { length: 101 },
      (_, i) => `A${String.fromCharCode(65 + (i % 26), 65 + Math.floor(i / 26))}`,
    );
    const wide = await post("bob", { ...ORDER, symbols });
    expect([wide.statusCode, wide.json().detail]).toEqual([422, "symbols: 101 are more than 100 in a job"]);
  });
});

describe("GET /api/jobs", () => {
  it("200 pages through the caller's own; an admin sees all", async () => {
    const mine = [await ordered("ann"), await ordered("ann"), await ordered("ann")];
    const theirs = await ordered("bob");
    const first = (await get("ann", "/api/jobs?limit=2")).json();
    expect(first.data.map(({ id }: { id: number }) => id)).toEqual([mine[2], mine[1]]);
    const second = (await get("ann", `/api/jobs?limit=2&before=${first.next}`)).json();
    expect(second.data.map(({ id }: { id: number }) => id)).toEqual([mine[0]]);
    expect(second.next).toBeNull();
    expect((await get("admin", "/api/jobs")).json().data).toHaveLength(4);
    await cancel("bob", theirs);
    expect((await get("admin", "/api/jobs?status=cancelled")).json().data).toMatchObject([{ id: theirs }]);
    expect((await get("admin", "/api/jobs?kind=none")).json().data).toEqual([]);
  });
});

describe("a job of somebody else", () => {
  it("404 in every way, but for an admin", async () => {
    const id = await ordered("ann");
    for (const path of ["", "/result", "/events"]) {
      const answer = await get("bob", `/api/jobs/${id}${path}`);
      expect([answer.statusCode, answer.json().code]).toEqual([404, "job_not_found"]);
    }
    expect((await cancel("bob", id)).statusCode).toBe(404);
    expect((await get("ann", "/api/jobs/999999")).json().code).toBe("job_not_found");
    expect((await get("admin", `/api/jobs/${id}`)).statusCode).toBe(200);
  });
});

describe("POST /api/jobs/:id/cancel", () => {
  it("202 ends what waits, and changes nothing of what has ended", async () => {
    const id = await ordered("ann");
    expect((await cancel("ann", id)).json().data).toMatchObject({
      status: "cancelled",
      cancel_requested: true,
    });
    const again = await cancel("ann", id);
    expect([again.statusCode, again.json().data.status]).toEqual([202, "cancelled"]);
    const result = await get("ann", `/api/jobs/${id}/result`);
    expect([result.statusCode, result.json().code]).toEqual([409, "job_result_absent"]);
    expect(result.json().detail).toBe(`Job ${id} was cancelled`);
  });

  it.each(["succeeded", "failed"])("409 with its state for one that has %s", async (status) => {
    const id = await ordered("ann");
    const { database } = program.parts;
    await database.query("update jobs set status = $2, finished_at = now() where id = $1", [id, status]);
    const answer = await cancel("ann", id);
    expect([answer.statusCode, answer.json().code]).toEqual([409, "conflict"]);
    expect(answer.json().detail).toBe(`Job ${id} has ${status} and cannot be cancelled`);
    expect((await get("ann", `/api/jobs/${id}`)).json().data).toMatchObject({ status });
  });
});

describe("GET /api/jobs/:id/events", () => {
  it("200 gives the present state, then what comes, and ends with the job", async () => {
    const id = await ordered("ann");
    const stream = await follow("ann", id);
    expect(stream.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
    });
    await eventually("the first", () => stream.events.length > 0);
    work();
    await stream.ended;
    const statuses = stream.events.map(({ data }) => data.status);
    expect([statuses[0], statuses.at(-1)]).toEqual(["queued", "succeeded"]);
    expect(stream.events.at(-1)?.data.pct).toBe(100);
    const kept = await program.parts.eventLog.readAfter(`jobs:${id}`, 0, 1_000);
    expect(stream.events.map((event) => event.id)).toEqual(kept.map(({ seq }) => seq));
    expect(stream.events.map(({ data }) => data)).toEqual(kept.map(({ payload }) => payload));
  });

  it("200 resumes after Last-Event-ID without gap or duplicate, wherever the stream broke", async () => {
    const id = await ordered("ann");
    await tellOf(id, 400, 50);
    await cancel("ann", id);
    const all = (await program.parts.eventLog.readAfter(`jobs:${id}`, 0, 1_000)).map(({ seq }) => seq);
    for (const cut of [0, 1, 57, 200, all.length - 2]) {
      const stream = await follow("ann", id, all[cut]);
      await stream.ended;
      expect(stream.events.map((event) => event.id)).toEqual(all.slice(cut + 1));
    }
  });

  it("200 while events come as it resumes: each once and in order", async () => {
    const id = await ordered("ann");
    const telling = tellOf(id, 150, 1);
    const heard: number[] = [];
    let last: number | undefined;
    while (heard.length < 120) {
      const stream = await follow("ann", id, last);
      await eventually(
        "some",
        () => stream.events.length >= 25 || heard.length + stream.events.length >= 120,
      );
      stream.close();
      heard.push(...stream.events.map((event) => event.id));
      last = heard.at(-1);
    }
    await telling;
    const all = (await program.parts.eventLog.readAfter(`jobs:${id}`, 0, 1_000)).map(({ seq }) => seq);
    const from = all.indexOf(heard[0] ?? -1);
    expect(heard).toEqual(all.slice(from, from + heard.length));
  });

  it("204 when the end was told already; the state again for a number that is not kept", async () => {
    const id = await ordered("ann");
    await cancel("ann", id);
    const [seq] = (await program.parts.eventLog.readAfter(`jobs:${id}`, 0, 10))
      .map((event) => event.seq)
      .slice(-1);
    expect(
      (
        await program.call({
          url: `/api/jobs/${id}/events`,
          headers: as("ann", { "last-event-id": String(seq) }),
        })
      ).statusCode,
    ).toBe(204);
    for (const unknown of [0, seq + 1_000]) {
      const stream = await follow("ann", id, unknown);
      await stream.ended;
      expect(stream.events).toMatchObject([{ id: seq, data: { status: "cancelled" } }]);
    }
  });

  it("400 for a Last-Event-ID that is no number", async () => {
    const id = await ordered("ann");
    const headers = as("ann", { "last-event-id": "seven" });
    expect((await program.call({ url: `/api/jobs/${id}/events`, headers })).statusCode).toBe(400);
  });

  it("200 carries the headers of a listed origin", async () => {
    const id = await ordered("ann");
    const stream = await followEvents(`${address}/api/jobs/${id}/events`, {
      ...as("ann"),
      origin: "http://localhost:5173",
    });
    expect(stream.headers["access-control-allow-origin"]).toBe("http://localhost:5173");
    stream.close();
  });
});

describe("the topic of a job", () => {
  it("has the same events on a socket, and resumes; somebody else's is refused", async () => {
    const id = await ordered("ann");
    const socket = await openSocket(address, { headers: as("ann") });
    onTestFinished(() => socket.close());
    socket.send({ type: "subscribe", topics: [`jobs:${id}`], since: { [`jobs:${id}`]: 0 } });
    await socket.heard(({ type }) => type === "resumed");
    await cancel("ann", id);
    await socket.heard(
      ({ type, data }) => type === "event" && (data as { status: string }).status === "cancelled",
    );
    const heard = socket.frames.filter(({ type }) => type === "event");
    const kept = await program.parts.eventLog.readAfter(`jobs:${id}`, 0, 10);
    expect(heard.map(({ seq }) => seq)).toEqual(kept.map(({ seq }) => seq));
    expect(heard.map(({ data }) => data)).toEqual(kept.map(({ payload }) => payload));
    const other = await openSocket(address, { headers: as("bob") });
    onTestFinished(() => other.close());
    other.send({ type: "subscribe", topics: [`jobs:${id}`] });
    expect(await other.heard(({ type }) => type === "error")).toMatchObject({ code: "job_not_found" });
  });
});

/** Writes events of a job as its progress would, some in each transaction. */
async function tellOf(id: number, count: number, atOnce: number): Promise<void> {
  for (let n = 0; n < count; n += atOnce) {
    const events = Array.from({ length: atOnce }, (_, i) => {
      return { topic: `jobs:${id}`, payload: { id, status: "running", done: n + i } };
    });
    await program.parts.database.transaction((sql) => program.parts.eventLog.append(sql, events));
  }
  program.parts.eventLog.wake();
}

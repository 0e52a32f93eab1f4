import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type DatabaseSession, openSession } from "../../src/platform/database-session.js";
import type { Log } from "../../src/platform/log.js";
import { createTestDatabase, type TestDatabase, throughProxy } from "../fixtures/database.js";
import { eventually, expectNothingUnhandled, timed } from "../fixtures/faults.js";
import { createRecordedLog, silentLog } from "../fixtures/log.js";
import { ask } from "../fixtures/own-postgres.js";

expectNothingUnhandled();

let server: TestDatabase;
beforeAll(async () => {
  server = await createTestDatabase("empty");
});
afterAll(() => server.drop());

const administer = <Row extends object>(statement: string) =>
  ask<Row>(server.connection as Parameters<typeof ask>[0], statement);
const notify = (channel: string, payload: string) => administer(`notify ${channel}, '${payload}'`);
const terminate = (pid: number | undefined) => administer(`select pg_terminate_backend(${pid})`);

interface Opened {
  readonly session: DatabaseSession;
  readonly states: [boolean, string | null][];
}

async function open(connection: pg.ClientConfig = server.connection, log: Log = silentLog): Promise<Opened> {
  const states: [boolean, string | null][] = [];
  const session = await openSession(connection, log, (up, reason) => states.push([up, reason]));
  onTestFinished(() => session.close());
  return { session, states };
}

/** Listens, and returns what was heard, from when it is certain to hear. */
async function listening(session: DatabaseSession, channel: string): Promise<(string | null)[]> {
  const heard: (string | null)[] = [];
  session.listen(channel, (payload) => heard.push(payload));
  await eventually(`listens on ${channel}`, () => heard.length > 0);
  expect(heard.splice(0)).toEqual([null]);
  return heard;
}

/** Has the server end the session, and resolves when there is another. */
async function replace(session: DatabaseSession): Promise<void> {
  const before = session.backend()?.pid;
  await terminate(before);
  await eventually("another session", () => ![undefined, before].includes(session.backend()?.pid), 15_000);
}

describe("a session", () => {
  it("is known by number and start, as the server tells others", async () => {
    const { session, states } = await open();
    expect(states[0]).toEqual([true, null]);
    const backend = session.backend();
    expect(
      await administer(`select from pg_stat_activity where pid = ${backend?.pid}
        and backend_start = timestamp '${backend?.startedAt}' at time zone 'UTC'`),
    ).toHaveLength(1);
    await session.close();
    await eventually("the server saw it end", async () => {
      return (await administer(`select from pg_stat_activity where pid = ${backend?.pid}`)).length === 0;
    });
  });

  it("that ends is replaced by one of another number, and the database never counts as down", async () => {
    const { session, states } = await open();
    for (let i = 0; i < 3; i++) await replace(session);
    await eventually("another probe", () => states.length > 4);
    expect(states.every(([up]) => up)).toBe(true);
  });

  it("is none while the database is down, which is told once each try, with a reason", async () => {
    const { proxy, connection } = await throughProxy(server);
    onTestFinished(() => proxy.close());
    const { session, states } = await open(connection);
    proxy.cutAfter(1, "before");
    await terminate(session.backend()?.pid);
    await eventually("told", () => states.some(([up]) => !up));
    expect(session.backend()).toBeNull();
    expect(states.find(([up]) => !up)?.[1]).toEqual(expect.stringMatching(/./));
    proxy.cutAfter(Number.POSITIVE_INFINITY, "before");
    await eventually("told that it is up", () => states.at(-1)?.[0] === true);
    expect(session.backend()).not.toBeNull();
  });

  it("outlives a standstill of this process in the middle of a probe", async () => {
    const { session, states } = await open();
    const before = session.backend();
    const query = pg.Client.prototype.query as (...given: unknown[]) => unknown;
    let stood = 0;
    const spy = vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (
      this: pg.Client,
      ...given
    ) {
      const answer = query.apply(this, given);
      if (given[0] === "select 1" && stood++ === 0) {
        setImmediate(() => {
          const end = performance.now() + 1_500;
          while (performance.now() < end);
        });
      }
      return answer as never;
    });
    onTestFinished(() => spy.mockRestore());
    await eventually("two probes", () => stood >= 2, 15_000);
    expect(states.every(([up]) => up)).toBe(true);
    expect(session.backend()).toEqual(before);
  });

  it.each([1, 2, 3, 4, 5])(
    "that falls silent at its message %i, as often as it is opened, never blocks what comes after",
    { timeout: 60_000 },
    async (pieces) => {
      const { proxy, connection } = await throughProxy(server);
      onTestFinished(() => proxy.close());
      const { session, states } = await open(connection);
      await listening(session, "a");
      proxy.cutAfter(pieces, "never");
      await terminate(session.backend()?.pid);
      await eventually("told that it is down", () => states.some(([up]) => !up), 15_000);
      proxy.cutAfter(Number.POSITIVE_INFINITY, "never");
      await eventually("told that it is up", () => states.at(-1)?.[0] === true, 15_000);
      expect((await timed(() => session.close())).ms).toBeLessThan(10_000);
    },
  );

  it("closes while it is being opened again, and leaves nothing open", async () => {
    const { proxy, connection } = await throughProxy(server);
    onTestFinished(() => proxy.close());
    const { session } = await open({ ...connection, application_name: "closes" });
    await terminate(session.backend()?.pid);
    await session.close();
    const rows = () => administer("select from pg_stat_activity where application_name = 'closes'");
    await eventually("the server has no session of it", async () => (await rows()).length === 0);
    expect(session.backend()).toBeNull();
  });
});

describe("listening", () => {
  it("hears what is notified on its channel, in order, and nothing of others", async () => {
    const { session } = await open();
    const [a, b] = [await listening(session, "a"), await listening(session, 'strange "Name"; --')];
    for (let i = 0; i < 20; i++) await notify("a", String(i));
    await notify("other", "no");
    await notify('"strange ""Name""; --"', "strange");
    await eventually("both heard", () => a.length === 20 && b.length === 1);
    expect(a).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
    expect(b).toEqual(["strange"]);
  });

  it("is taken up again by a new session, which says that something may have been missed", async () => {
    const { session } = await open();
    const [a, b] = [await listening(session, "a"), await listening(session, "b")];
    await replace(session);
    await eventually("both were told", () => a.length > 0 && b.length > 0);
    await notify("a", "after");
    await eventually("heard", () => a.includes("after"));
    expect(a).toEqual([null, "after"]);
    expect(b).toEqual([null]);
  });

  it("begun while there is no session begins with the next", async () => {
    const { proxy, connection } = await throughProxy(server);
    onTestFinished(() => proxy.close());
    const { session, states } = await open(connection);
    proxy.cutAfter(1, "before");
    await terminate(session.backend()?.pid);
    await eventually("down", () => states.some(([up]) => !up));
    const heard: (string | null)[] = [];
    session.listen("a", (payload) => heard.push(payload));
    proxy.cutAfter(Number.POSITIVE_INFINITY, "before");
    await eventually("listens", () => heard.length > 0);
    await notify("a", "x");
    await eventually("heard", () => heard.includes("x"));
    expect(heard).toEqual([null, "x"]);
  });

  it("has several listeners; each can leave, and one that throws disturbs nobody", async () => {
    const recorded = createRecordedLog();
    const { session } = await open(server.connection, recorded.log);
    const heard = await listening(session, "a");
    const left: (string | null)[] = [];
    const leave = session.listen("a", (payload) => left.push(payload));
    session.listen("a", () => {
      throw new Error("of a listener");
    });
    const last: (string | null)[] = [];
    session.listen("a", (payload) => last.push(payload));
    await notify("a", "1");
    await eventually("heard by all", () => last.includes("1"));
    leave();
    await notify("a", "2");
    await eventually("heard again", () => last.includes("2"));
    expect({ heard, left, last }).toEqual({ heard: ["1", "2"], left: ["1"], last: ["1", "2"] });
    expect(recorded.lines().filter((line) => line.includes("of a listener"))).toHaveLength(2);
  });
});

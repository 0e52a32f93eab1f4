import { describe, expect, it } from "vitest";
import type { Database } from "../../src/platform/database.js";
import { codeOf } from "../fixtures/error-code.js";
import { alertOf, useNotifying, verified } from "../fixtures/notifications.js";

const { all, database, another, order, pass, logOf, answerWith } = useNotifying();
const HOUR = 3_600_000;

describe("the outbox", () => {
  it("loses and doubles nothing when two processes run it at once, and one of them ends within", async () => {
    const channels = await Promise.all(
      ["/a", "/b", "/c"].map((path) => all.notifying.notifications.create("ann", order(path))),
    );
    const other = another();
    for (let i = 0; i < 30; i++) {
      await all.notifying.raise(alertOf(2 * i), alertOf(2 * i + 1));
      await Promise.all([all.notifying.fanOut(), other.fanOut(), all.notifying.send(), other.send()]);
    }
    await pass();
    expect(all.receiver.received).toHaveLength(60 * channels.length);
    for (const path of ["/a", "/b", "/c"]) {
      const ids = all.receiver.received
        .filter((one) => one.path === path)
        .map(({ body }) => JSON.parse(body).data.id as number);
      expect([...new Set(ids)].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i));
    }
  });

  it("sends again under the same id what a process took and did not end", async () => {
    await all.notifying.notifications.create("ann", order());
    await all.notifying.raise(alertOf(1));
    // Answered, but the process ends before it is written down.
    const dying = another({
      outward: {
        check: () => Promise.resolve(),
        post: () => new Promise(() => undefined),
      },
    });
    await dying.fanOut();
    const lost = dying.send();
    await expect.poll(async () => (await logOf())[0].attempts).toBe(1);
    await all.notifying.send();
    expect(all.receiver.received).toHaveLength(0);
    all.clock.advance(61_000);
    await all.notifying.send();
    expect(all.receiver.received).toHaveLength(1);
    expect(await logOf()).toMatchObject([
      { id: all.receiver.received[0].headers["webhook-id"], state: "delivered", attempts: 2 },
    ]);
    expect(lost).toBeInstanceOf(Promise);
  });

  it("keeps the cursor and what was written together: a failure leaves neither", async () => {
    await all.notifying.notifications.create("ann", order());
    await all.notifying.raise(alertOf(1));
    const refusing =
      "create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$";
    await database().query(refusing);
    await database().query(
      "create trigger refusing before update on notification_cursors for each row when (new.seq > old.seq) execute function refuse()",
    );
    await expect(all.notifying.fanOut()).rejects.toThrow();
    expect(await logOf()).toEqual([]);
    await database().query("drop trigger refusing on notification_cursors");
    await database().query("drop function refuse");
    await pass();
    expect(all.receiver.received).toHaveLength(1);
  });

  it("goes over what nobody is told of once, in bounded steps, and tells of what lies on both sides", async () => {
    const BETWEEN = 40_000;
    const unrelated = (count: number) =>
      database().query(
        "insert into events (topic, payload) select 'quotes:' || n % 50, '{}' from generate_series(1, $1::int) as n",
        [count],
      );
    const cursor = async () =>
      (await database().query<{ seq: number }>("select seq from notification_cursors"))[0]?.seq ?? 0;
    await all.notifying.notifications.create("ann", order());
    await all.notifying.raise(alertOf(1));
    await unrelated(BETWEEN / 2);
    await unrelated(BETWEEN / 2);
    await all.notifying.raise(alertOf(2));
    await unrelated(10);
    const reached = [0];
    const watched: Database = {
      ...database(),
      async transaction(work) {
        const done = await database().transaction(work);
        reached.push(await cursor());
        return done;
      },
    };
    await another({ database: watched }).fanOut();
    const steps = reached.slice(1).map((seq, i) => seq - reached[i]);
    expect(Math.max(...steps)).toBeLessThanOrEqual(10_000);
    expect(await cursor()).toBe(BETWEEN + 12);
    await pass();
    expect(all.receiver.received.map(({ body }) => JSON.parse(body).data.id)).toEqual([1, 2]);
  });

  it("tells a channel of what its filters name, and of nothing before it was made", async () => {
    await all.notifying.raise(alertOf(1));
    const filters = { topics: ["alerts"], symbols: ["msft"], minConfidence: 0.6 };
    await all.notifying.notifications.create("ann", order("/some", { filters }));
    await all.notifying.raise(
      alertOf(2, "MSFT"),
      alertOf(3, "MSFT", { confidence: 0.5 }),
      alertOf(4, "MSFT", { confidence: 0.6 }),
      alertOf(5, "AAPL", { confidence: 0.9 }),
    );
    await pass();
    expect(all.receiver.received.map(({ body }) => JSON.parse(body).data.id)).toEqual([4]);
  });

  it("is silent about answers to alerts, and about what it cannot read", async () => {
    await all.notifying.notifications.create("ann", order());
    await database().transaction((sql) =>
      all.notifying.eventLog.append(sql, [
        { topic: "alerts", payload: { kind: "updated", alert: alertOf(1) } },
        { topic: "alerts", payload: { kind: "created", alert: { id: 1 } } },
      ]),
    );
    await pass();
    expect(await logOf()).toEqual([]);
  });

  it("tells the channels of a user of the firings of that user's rules, one by one or as a digest", async () => {
    const firing = {
      ...{
        id: "f1",
        rule_id: "r1",
        name: "Dip",
        expression: "rsi(14) < 30",
        symbol: "AAPL",
        synthetic: true,
      },
      ...{ interval: "1h", watch: "close", bar: "2024-07-09T13:00:00.000Z", ordinal: 0, price: 101.5 },
      ...{ fired_at: "2024-07-09T14:00:00.000Z", source: "files", due_at: null, told_at: null },
    };
    await all.notifying.notifications.create("ann", order("/ann"));
    await all.notifying.notifications.create("bob", order("/bob"));
    const msft = { topics: ["rules"], symbols: ["msft"], minConfidence: null };
    await all.notifying.notifications.create("ann", order("/msft", { filters: msft }));
    await database().transaction((sql) =>
      all.notifying.eventLog.append(sql, [
        { topic: "rules:ann", payload: { kind: "fired", ...firing } },
        {
          topic: "rules:ann",
          payload: { kind: "digest", count: 2, firings: [firing, { ...firing, id: "f2" }] },
        },
        { topic: "rules:ann", payload: { kind: "fired", ...firing, id: "f3", symbol: "MSFT" } },
        {
          topic: "rules:ann",
          payload: { kind: "digest", count: 2, firings: [firing, { ...firing, id: "f4", symbol: "MSFT" }] },
        },
        { topic: "rules:ann", payload: { kind: "fired", id: "of another version" } },
      ]),
    );
    for (let n = 0; n < 4; n++) await pass();
    const told = all.receiver.received.map(({ path, body }) => [path, JSON.parse(body).type]);
    expect(told.filter(([path]) => path === "/ann")).toEqual([
      ["/ann", "rule.fired"],
      ["/ann", "rule.digest"],
      ["/ann", "rule.fired"],
      ["/ann", "rule.digest"],
    ]);
    // Of a digest of several symbols it gets what is of its own.
    expect(told.filter(([path]) => path !== "/ann")).toEqual([
      ["/msft", "rule.fired"],
      ["/msft", "rule.digest"],
    ]);
    const part = all.receiver.received.findLast(({ path }) => path === "/msft");
    expect(JSON.parse(part?.body ?? "{}").data).toMatchObject({ count: 1, firings: [{ id: "f4" }] });
    expect(
      JSON.parse(all.receiver.received.find(({ path }) => path === "/ann")?.body ?? "{}").data,
    ).toMatchObject(firing);
  });

  it("ends the rows of a channel with it", async () => {
    answerWith(500);
    const { channel } = await all.notifying.notifications.create("ann", order());
    await all.notifying.raise(alertOf(1));
    await pass();
    await all.notifying.notifications.delete("ann", channel.id);
    const [left] = await database().query<{ rows: number }>(
      "select (select count(*) from notification_deliveries) + (select count(*) from notification_attempts) as rows",
    );
    expect(left.rows).toBe(0);
    all.clock.advance(HOUR);
    await pass();
    expect(all.receiver.received).toHaveLength(1);
  });

  it("is counted, and says how long the oldest has waited", async () => {
    answerWith(500);
    await all.notifying.notifications.create("ann", order());
    await all.notifying.raise(alertOf(1));
    await pass();
    all.clock.advance(4_000);
    await all.notifying.send();
    const text = await all.notifying.metrics.registry.metrics();
    expect(text).toContain('tx_notification_attempts_total{kind="webhook",outcome="retry"} 1');
    expect(Number(/^tx_notification_oldest_pending_seconds (\S+)/m.exec(text)?.[1])).toBeGreaterThan(3);
  });
});

describe("a user", () => {
  it("tries a channel with a message that is sent once", async () => {
    answerWith(500);
    const { channel, secret } = await all.notifying.notifications.create("ann", order());
    const delivery = await all.notifying.notifications.test("ann", channel.id);
    expect(delivery).toMatchObject({ state: "pending", topic: "test" });
    await all.notifying.send();
    expect(verified(all.receiver.received[0], secret)).toMatchObject({ type: "test" });
    expect(await logOf()).toMatchObject([{ state: "dead", attempts: 1 }]);
    expect(await all.notifying.notifications.replayDead("ann", null)).toBe(0);
  });

  it("has channels and deliveries of nobody else", async () => {
    const { channel } = await all.notifying.notifications.create("ann", order());
    const { id } = await all.notifying.notifications.test("ann", channel.id);
    const { notifications } = all.notifying;
    expect(await notifications.list("bob")).toEqual([]);
    expect(await codeOf(notifications.get("bob", channel.id))).toBe("channel_not_found");
    expect(await codeOf(notifications.change("bob", channel.id, { enabled: false }))).toBe(
      "channel_not_found",
    );
    expect(await codeOf(notifications.rotate("bob", channel.id))).toBe("channel_not_found");
    expect(await codeOf(notifications.delete("bob", channel.id))).toBe("channel_not_found");
    expect(await codeOf(notifications.test("bob", channel.id))).toBe("channel_not_found");
    expect(await codeOf(notifications.delivery("bob", id))).toBe("delivery_not_found");
    expect(await codeOf(notifications.replay("bob", id))).toBe("delivery_not_found");
    expect(await codeOf(notifications.replayDead("bob", channel.id))).toBe("channel_not_found");
    expect(await logOf("bob")).toEqual([]);
  });

  it("is refused addresses inside, secrets that are none, and a fifty-first channel", async () => {
    const inside = order("", { settings: { url: `http://127.0.0.2:${all.receiver.port}/` } });
    expect(await codeOf(all.notifying.notifications.create("ann", inside))).toBe("address_refused");
    const settings = { url: all.receiver.url, secret: `whsec_${"A".repeat(33)}` };
    expect(await codeOf(all.notifying.notifications.create("ann", order("", { settings })))).toBe(
      "invalid_request",
    );
    expect(await codeOf(all.notifying.notifications.create("ann", order("", { kind: "pigeon" })))).toBe(
      "invalid_request",
    );
    for (let i = 0; i < 50; i++) await all.notifying.notifications.create("ann", order());
    expect(await codeOf(all.notifying.notifications.create("ann", order()))).toBe("conflict");
  });

  it("changes what a channel is without giving its secret again", async () => {
    const { channel, secret } = await all.notifying.notifications.create("ann", order());
    const changed = await all.notifying.notifications.change("ann", channel.id, {
      name: "other",
      settings: { url: `${all.receiver.url}/moved` },
    });
    expect(changed).toMatchObject({ name: "other", settings: { url: `${all.receiver.url}/moved` } });
    await all.notifying.raise(alertOf(1));
    await pass();
    expect(all.receiver.received[0].path).toBe("/moved");
    expect(verified(all.receiver.received[0], secret)).toMatchObject({ data: { id: 1 } });
  });
});

describe("a websocket channel", () => {
  it("publishes on a topic of its own, under the id of the delivery", async () => {
    const { channel, secret } = await all.notifying.notifications.create(
      "ann",
      order("", { kind: "websocket", settings: {} }),
    );
    expect(secret).toBeNull();
    await all.notifying.raise(alertOf(1));
    await pass();
    const [event] = await all.notifying.eventLog.readAfter(`notifications:${channel.id}`, 0, 10);
    const [{ id, state }] = await logOf();
    expect(state).toBe("delivered");
    expect(event.payload).toMatchObject({ id, type: "alert.created", data: { id: 1 } });
  });
});

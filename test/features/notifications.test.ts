import { describe, expect, it } from "vitest";
import { WAITS_MS } from "../../src/features/notifications/schedule.js";
import { channelView } from "../../src/features/notifications/views.js";
import { ROTATION_MS, webhook } from "../../src/features/notifications/webhook.js";
import { codeOf } from "../fixtures/error-code.js";
import { alertOf, useNotifying, verified } from "../fixtures/notifications.js";
import { outwardTo, startReceiver } from "../fixtures/receiver.js";

const { all, database, another, order, pass, logOf, answerWith } = useNotifying();
const HOUR = 3_600_000;

describe("a webhook", () => {
  it("gets each alert once, signed as Standard Webhooks verifies it", async () => {
    const { channel, secret } = await all.notifying.notifications.create("ann", order());
    await all.notifying.raise(alertOf(1), alertOf(2, "MSFT"));
    await pass();
    await pass();
    expect(all.receiver.received.map(({ path }) => path)).toEqual(["/hook", "/hook"]);
    const told = all.receiver.received.map((one) => verified(one, secret));
    expect(told).toMatchObject([
      { type: "alert.created", data: { id: 1, symbol: "AAPL", synthetic: false } },
      { type: "alert.created", data: { id: 2, symbol: "MSFT" } },
    ]);
    const rows = await logOf();
    expect(rows.map(({ state, attempts, lastStatus }) => [state, attempts, lastStatus])).toEqual([
      ["delivered", 1, 204],
      ["delivered", 1, 204],
    ]);
    expect(rows.map(({ id }) => id).sort()).toEqual(
      all.receiver.received.map(({ headers }) => headers["webhook-id"]).sort(),
    );
    expect(rows.every(({ channelId }) => channelId === channel.id)).toBe(true);
  });

  it("is signed with both secrets for a day after a rotation", async () => {
    const { channel, secret: old } = await all.notifying.notifications.create("ann", order());
    const { secret: next } = await all.notifying.notifications.rotate("ann", channel.id);
    expect(next).toMatch(/^whsec_/);
    expect(next).not.toBe(old);
    await all.notifying.raise(alertOf(1));
    await pass();
    expect(verified(all.receiver.received[0], old)).toMatchObject({ data: { id: 1 } });
    expect(verified(all.receiver.received[0], next)).toMatchObject({ data: { id: 1 } });
    all.clock.advance(25 * HOUR);
    await all.notifying.raise(alertOf(2));
    await pass();
    expect(String(all.receiver.received[1].headers["webhook-signature"]).split(" ")).toHaveLength(1);
  });

  it("is signed with every secret that was shown within a day, however many rotate it at once", async () => {
    const { channel, secret } = await all.notifying.notifications.create("ann", order());
    const { id } = channel;
    const processes = [all.notifying, another(), another()];
    const settings = { url: `${all.receiver.url}/moved` };
    const rotating = [0, 1, 2, 3, 4, 5].map((n) => processes[n % 3].notifications.rotate("ann", id));
    const changing = processes.map(({ notifications }) => notifications.change("ann", id, { settings }));
    const rotated = await Promise.allSettled(rotating);
    await Promise.all(changing);
    const shown = rotated.flatMap((each) => (each.status === "fulfilled" ? [each.value.secret] : []));
    const refused = rotated.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    expect(shown.length).toBeGreaterThan(0);
    expect(refused).toMatchObject(refused.map(() => ({ code: "conflict" })));
    await all.notifying.raise(alertOf(1));
    await pass();
    const [told] = all.receiver.received;
    expect(told.path).toBe("/moved");
    for (const each of [secret, ...shown]) expect(verified(told, each)).toMatchObject({ data: { id: 1 } });
    // Beyond four beside the newest a message would be mostly signatures.
    const more: string[] = [];
    for (let n = shown.length; n < 6; n++)
      more.push(await codeOf(all.notifying.notifications.rotate("ann", id)));
    expect(more.at(-1)).toBe("conflict");
    const own = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    await all.notifying.notifications.change("ann", id, { settings: { ...settings, secret: own } });
    expect((await all.notifying.notifications.rotate("ann", id)).secret).toMatch(/^whsec_/);
  });

  it("that was kept with one secret before the present one, or none, is rotated as others are", () => {
    const old = { url: "https://example.com", secret: "whsec_b25l" };
    const before = { secret: "whsec_dHdv", until: 50 };
    const present = { secret: old.secret, until: ROTATION_MS + 10 };
    expect(webhook.rotate({ ...old, previous: null }, 10).target.previous).toEqual([present]);
    expect(webhook.rotate({ ...old, previous: before }, 10).target.previous).toEqual([present, before]);
    const later = webhook.rotate({ ...old, previous: [before] }, 50).target.previous;
    expect(later).toEqual([{ ...present, until: ROTATION_MS + 50 }]);
  });

  it("keeps its secrets from whoever reads the database, and shows them once", async () => {
    const environment = { SECRET_KEY: "k7Qw2Zx9Lm4Vb8Rt1Yp6Nc3Hd5Jf0Gs7" };
    const sealed = another({ environment });
    const { channel, secret } = await sealed.notifications.create("ann", order());
    const [row] = await database().query<{ text: string }>(
      "select c::text as text from notification_channels c",
    );
    expect(row.text).not.toContain(String(secret).slice(6, 20));
    expect(JSON.stringify(await sealed.notifications.get("ann", channel.id))).not.toContain(secret);
    // Under another key there is nothing to sign with, and the user is told so.
    await all.notifying.raise(alertOf(1));
    await pass(another({ environment: { SECRET_KEY: `${environment.SECRET_KEY}x` } }));
    expect(all.receiver.received).toEqual([]);
    expect(await sealed.notifications.get("ann", channel.id)).toMatchObject({
      enabled: false,
      reason: expect.stringContaining("SECRET_KEY"),
    });
  });

  it("that answers 500 is tried by the table of waits, then dead, and delivered when replayed", async () => {
    answerWith(500, {}, "out of <b>order</b>\u0000\n at line 1");
    await all.notifying.notifications.create("ann", order());
    await all.notifying.raise(alertOf(1));
    await pass();
    for (const wait of WAITS_MS) {
      const before = all.receiver.received.length;
      all.clock.advance(wait - 1);
      await all.notifying.send();
      expect(all.receiver.received).toHaveLength(before);
      all.clock.advance(1 + 0.1 * wait);
      await all.notifying.send();
      expect(all.receiver.received).toHaveLength(before + 1);
    }
    expect(WAITS_MS.slice(0, 6)).toEqual([5_000, 300_000, 1_800_000, 2 * HOUR, 5 * HOUR, 6 * HOUR]);
    const [dead] = await logOf();
    expect(dead).toMatchObject({ state: "dead", attempts: 9, lastStatus: 500 });
    // What stands behind an address that a user names may be nobody's to read.
    expect(dead.lastDetail).toBe("answered 500");
    const { attempts } = await all.notifying.notifications.delivery("ann", dead.id);
    expect(attempts.map(({ number, outcome }) => `${number} ${outcome}`)).toEqual(
      Array.from({ length: 9 }, (_, i) => `${i + 1} retry`),
    );
    all.clock.advance(100 * HOUR);
    await all.notifying.send();
    expect(all.receiver.received).toHaveLength(9);

    answerWith(200);
    expect(await all.notifying.notifications.replayDead("ann", null)).toBe(1);
    await all.notifying.send();
    const ids = new Set(all.receiver.received.map(({ headers }) => headers["webhook-id"]));
    expect([...ids]).toEqual([dead.id]);
    expect(await logOf()).toMatchObject([{ state: "delivered", attempts: 10 }]);
  });

  it("that was down for a while gets everything, in order, once it is up", async () => {
    const { port } = all.receiver;
    answerWith(503);
    await all.notifying.notifications.create("ann", order());
    for (const id of [1, 2, 3]) await all.notifying.raise(alertOf(id));
    await pass();
    expect((await logOf()).map(({ state }) => state)).toEqual(["pending", "pending", "pending"]);
    all.receiver.received.length = 0;
    answerWith(200);
    all.clock.advance(6_000);
    await pass();
    expect(all.receiver.port).toBe(port);
    expect(all.receiver.received.map(({ body }) => JSON.parse(body).data.id)).toEqual([1, 2, 3]);
    expect((await logOf()).map(({ state }) => state)).toEqual(["delivered", "delivered", "delivered"]);
  });

  it("that redirects has failed, and nobody goes there", async () => {
    const inside = await startReceiver();
    answerWith(302, { location: `${inside.url}/secret` });
    await all.notifying.notifications.create("ann", order());
    await all.notifying.raise(alertOf(1));
    await pass();
    expect(inside.connections()).toBe(0);
    expect(await logOf()).toMatchObject([
      { state: "pending", lastStatus: 302, lastDetail: "answered 302: redirects are not followed" },
    ]);
    await inside.close();
  });

  it("that answers 200 and drips its text has been told, once", async () => {
    all.receiver.answer((_received, response) => {
      response.writeHead(200).write("o");
      const dripping = setInterval(() => response.write("k"), 200);
      response.on("close", () => clearInterval(dripping));
    });
    await all.notifying.notifications.create("ann", order());
    await all.notifying.raise(alertOf(1));
    await pass();
    expect(await logOf()).toMatchObject([{ state: "delivered", attempts: 1, lastStatus: 200 }]);
    all.clock.advance(24 * HOUR);
    await pass();
    expect(all.receiver.received).toHaveLength(1);
  });

  it("that answers 410 is disabled with the reason, and what waits of it is dead until it is replayed", async () => {
    answerWith(410, {}, "no more");
    const { channel } = await all.notifying.notifications.create("ann", order());
    await all.notifying.raise(alertOf(1), alertOf(2));
    await pass();
    expect(all.receiver.received).toHaveLength(1);
    expect(await all.notifying.notifications.get("ann", channel.id)).toMatchObject({
      enabled: false,
      reason: "answered 410",
    });
    expect((await logOf()).map(({ state }) => state)).toEqual(["dead", "dead"]);
    const [{ id }] = await logOf();
    expect(await codeOf(all.notifying.notifications.replay("ann", id))).toBe("conflict");
    expect(await codeOf(all.notifying.notifications.test("ann", channel.id))).toBe("conflict");
    // What happens meanwhile is nobody's.
    await all.notifying.raise(alertOf(3));
    await pass();
    answerWith(200);
    const enabled = await all.notifying.notifications.change("ann", channel.id, { enabled: true });
    expect(enabled).toMatchObject({ enabled: true, reason: null });
    expect(await all.notifying.notifications.replayDead("ann", channel.id)).toBe(2);
    await pass();
    expect(await logOf()).toMatchObject([{ state: "delivered" }, { state: "delivered" }]);
  });

  it("that is slow is given up, and keeps no other waiting", async () => {
    const slow = another({ outward: outwardTo(all.receiver, { timeoutMs: 1_500 }) });
    all.receiver.answer(({ path }, response) => {
      if (path === "/fast") response.writeHead(200).end();
    });
    await slow.notifications.create("ann", order("/slow"));
    await slow.notifications.create("ann", order("/fast"));
    await slow.raise(alertOf(1), alertOf(2), alertOf(3));
    await slow.fanOut();
    const started = performance.now();
    const sent = slow.send();
    while (all.receiver.received.filter(({ path }) => path === "/fast").length < 3) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(performance.now() - started).toBeLessThan(1_400);
    }
    expect(all.receiver.received.filter(({ path }) => path === "/slow")).toHaveLength(1);
    await sent;
    const told = (await logOf()).filter(({ state }) => state === "pending");
    expect(told).toHaveLength(3);
    expect(told.map(({ lastDetail }) => lastDetail)).toContain("no answer within 1500 ms");
  });

  it("that says when to come back is left alone until then, with all that waits of it", async () => {
    answerWith(429, { "retry-after": "120" });
    await all.notifying.notifications.create("ann", order());
    await all.notifying.raise(alertOf(1), alertOf(2));
    await pass();
    expect(all.receiver.received).toHaveLength(1);
    answerWith(200);
    all.clock.advance(119_000);
    await all.notifying.send();
    expect(all.receiver.received).toHaveLength(1);
    all.clock.advance(1_001);
    await all.notifying.send();
    expect(all.receiver.received).toHaveLength(3);
  });

  it.each([
    ["its address is another", () => ({ settings: order("/there").settings })],
    ["it is enabled", () => ({ enabled: true })],
  ])("that asks for hours tells until when, and is asked again once %s", async (_, change) => {
    answerWith(429, { "retry-after": "99999999" });
    const { channel } = await all.notifying.notifications.create("ann", order());
    await all.notifying.raise(alertOf(1));
    await pass();
    const held = await all.notifying.notifications.get("ann", channel.id);
    expect(channelView(held, all.clock.now()).held_until).toBe(
      new Date(all.clock.now() + 6 * HOUR).toISOString(),
    );
    await all.notifying.raise(alertOf(2));
    await pass();
    expect((await logOf()).map(({ nextAt }) => nextAt >= held.heldUntil)).toEqual([true, true]);
    answerWith(200);
    const changed = await all.notifying.notifications.change("ann", channel.id, change());
    expect(channelView(changed, all.clock.now()).held_until).toBeNull();
    await all.notifying.send();
    expect(all.receiver.received.length).toBeGreaterThan(1);
  });
});

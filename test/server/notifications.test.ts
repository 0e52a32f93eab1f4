import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLoop } from "../../src/platform/loop.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { KEYED, keyFor } from "../fixtures/keyed.js";
import { silentLog } from "../fixtures/log.js";
import { alertOf } from "../fixtures/notifications.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let program: TestProgram;
const keys = { ann: "", bob: "" };
type Caller = keyof typeof keys;
const CHANNELS = "/api/notifications/channels";
const DELIVERIES = "/api/notifications/deliveries";
/** On the public internet by its number, so that no name is asked for; nothing is sent there. */
const HOOK = { kind: "webhook", name: "hook", settings: { url: "https://1.1.1.1/hook" } };

beforeAll(async () => {
  program = await startTestProgram({ environment: { ...KEYED, WEBHOOK_HTTP: "true" } });
  keys.ann = await keyFor(program, "ann", "trader");
  keys.bob = await keyFor(program, "bob", "trader");
});
afterAll(() => program.close());

const call = (caller: Caller, method: "GET" | "POST" | "PATCH" | "DELETE", url: string, payload?: object) =>
  program.call({
    method,
    url,
    headers: { "x-api-key": keys[caller] },
    ...(payload === undefined ? {} : { payload }),
  });

async function made(body: object = HOOK, caller: Caller = "ann") {
  const answer = await call(caller, "POST", CHANNELS, body);
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json().data as { id: string; secret: string | null; topic: string | null };
}

describe("POST /api/notifications/channels", () => {
  it("201 shows the secret this once", async () => {
    const { id, secret } = await made();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const later = await call("ann", "GET", `${CHANNELS}/${id}`);
    expect(later.json().data).toMatchObject({
      kind: "webhook",
      name: "hook",
      settings: { url: "https://1.1.1.1/hook" },
      enabled: true,
      reason: null,
      filters: { topics: [], symbols: [], min_confidence: null },
      topic: null,
    });
    for (const url of [`${CHANNELS}/${id}`, CHANNELS]) {
      const { body } = await call("ann", "GET", url);
      expect(body).not.toContain(String(secret).slice(6));
    }
    const renamed = await call("ann", "PATCH", `${CHANNELS}/${id}`, { name: "other" });
    expect(renamed.body).not.toContain(String(secret).slice(6));
  });

  it("201 shows nothing of what a chat is reached by", async () => {
    const url = "https://discord.com/api/webhooks/123/very-secret";
    const answer = await call("ann", "POST", CHANNELS, { kind: "discord", name: "d", settings: { url } });
    expect(answer.statusCode).toBe(201);
    expect(answer.body).not.toContain("very-secret");
    expect(answer.json().data).toMatchObject({ settings: {}, secret: null });
  });

  it.each([
    "http://2130706433",
    "http://0x7f.1",
    "http://0177.0.0.1",
    "http://127.1",
    "http://①②⑦.0.0.1",
    "http://127。0。0。1",
    "http://0",
    "http://[::]",
    "http://[::ffff:127.0.0.1]",
    "http://localhost.",
    "http://a@169.254.169.254",
    "http://100.64.0.1",
    "http://[fd00:ec2::254]",
    "http://1.1.1.1:22",
    "http://1.1.1.1:5432",
    "http://1.1.1.1:6379",
    "ftp://1.1.1.1/",
    "gopher://1.1.1.1/",
    "file:///etc/passwd",
  ])("422 or 400 for %s", async (url) => {
    const answer = await call("ann", "POST", CHANNELS, { ...HOOK, settings: { url } });
    expect([400, 422]).toContain(answer.statusCode);
    expect(answer.json().code).toBe(answer.statusCode === 422 ? "address_refused" : "invalid_request");
  });

  it("400 names the setting that is wrong", async () => {
    const chat = { kind: "telegram", name: "t", settings: { chat_id: "not a chat" } };
    expectProblem(await call("ann", "POST", CHANNELS, chat), "invalid_request", "settings.chat_id");
    const pigeon = { ...HOOK, kind: "pigeon" };
    expectProblem(await call("ann", "POST", CHANNELS, pigeon), "invalid_request", "kind");
    const topics = { ...HOOK, filters: { topics: ["weather"] } };
    expectProblem(await call("ann", "POST", CHANNELS, topics), "invalid_request", "topics");
  });

  it("400 for a name with what is not seen, or turns what is beside it round", async () => {
    const { id } = await made();
    for (const name of ["x\u202ey", "x\u200by", "x\u0000y", "\u2066x"]) {
      expectProblem(await call("ann", "POST", CHANNELS, { ...HOOK, name }), "invalid_request", "name");
      expectProblem(await call("ann", "PATCH", `${CHANNELS}/${id}`, { name }), "invalid_request", "name");
    }
    await made({ ...HOOK, name: "\u{1f468}\u200d\u{1f4bb} Zo\u00eb" });
  });

  it("400 for a Telegram bot where neither side has one", async () => {
    const chat = { kind: "telegram", name: "t", settings: { chat_id: "42" } };
    expectProblem(await call("ann", "POST", CHANNELS, chat), "invalid_request", "settings.bot_token");
  });

  it("422 for what the server lacks", async () => {
    const mail = { kind: "email", name: "m", settings: { to: "ann@example.com" } };
    expectProblem(await call("ann", "POST", CHANNELS, mail), "channel_unavailable", "SMTP_URL");
    const { data } = (await call("ann", "GET", "/api/notifications/kinds")).json();
    expect(data).toContainEqual(expect.objectContaining({ kind: "email", available: false }));
    expect(data).toContainEqual(expect.objectContaining({ kind: "webhook", available: true, reason: null }));
  });
});

describe("channels of others", () => {
  it("404 whatever is done with them", async () => {
    const { id } = await made();
    const test = await call("ann", "POST", `${CHANNELS}/${id}/test`);
    expect(test.statusCode).toBe(202);
    const delivery = test.json().data.id as string;
    const own = `${CHANNELS}/${id}`;
    expectProblem(await call("bob", "GET", own), "channel_not_found");
    expectProblem(await call("bob", "PATCH", own, { enabled: false }), "channel_not_found");
    expectProblem(await call("bob", "DELETE", own), "channel_not_found");
    expectProblem(await call("bob", "POST", `${own}/rotate`), "channel_not_found");
    expectProblem(await call("bob", "POST", `${own}/test`), "channel_not_found");
    expectProblem(await call("bob", "GET", `${DELIVERIES}/${delivery}`), "delivery_not_found");
    expectProblem(await call("bob", "POST", `${DELIVERIES}/${delivery}/replay`), "delivery_not_found");
    const replay = await call("bob", "POST", `${DELIVERIES}/replay`, { channel_id: id });
    expectProblem(replay, "channel_not_found");
    expect((await call("bob", "GET", DELIVERIES)).json()).toMatchObject({ data: [], total: 0 });
    // Nothing waits of it that a loop could send.
    expect((await call("ann", "DELETE", own)).statusCode).toBe(200);
  });
});

describe("a channel", () => {
  it("200 is rotated, disabled with all that waits of it, enabled, replayed and deleted", async () => {
    const { id, secret } = await made();
    const own = `${CHANNELS}/${id}`;
    const rotated = await call("ann", "POST", `${own}/rotate`);
    expect(rotated.statusCode).toBe(200);
    expect(rotated.json().data.secret).not.toBe(secret);
    const delivery = (await call("ann", "POST", `${own}/test`)).json().data.id as string;
    expectProblem(await call("ann", "POST", `${DELIVERIES}/${delivery}/replay`), "conflict", "on its way");
    const disabled = await call("ann", "PATCH", own, { enabled: false });
    expect(disabled.json().data).toMatchObject({ enabled: false, reason: null });
    const dead = await call("ann", "GET", `${DELIVERIES}?channel_id=${id}&state=dead`);
    expect(dead.json()).toMatchObject({
      total: 1,
      data: [{ id: delivery, topic: "test", next_attempt_at: null, last_detail: "the channel was disabled" }],
    });
    expectProblem(await call("ann", "POST", `${DELIVERIES}/${delivery}/replay`), "conflict", "disabled");
    expectProblem(await call("ann", "POST", `${own}/test`), "conflict", "disabled");
    await call("ann", "PATCH", own, { enabled: true });
    const replayed = await call("ann", "POST", `${DELIVERIES}/${delivery}/replay`);
    expect(replayed.statusCode).toBe(202);
    expect(replayed.json().data).toMatchObject({ id: delivery, state: "pending" });
    expect((await call("ann", "GET", `${DELIVERIES}/${delivery}`)).json().data.log).toEqual([]);
    expect((await call("ann", "DELETE", own)).statusCode).toBe(200);
    expectProblem(await call("ann", "GET", own), "channel_not_found");
    expectProblem(await call("ann", "GET", `${DELIVERIES}/${delivery}`), "delivery_not_found");
  });

  it("409 has no secret to rotate where its kind has none", async () => {
    const { id } = await made({ kind: "websocket", name: "ws" });
    expectProblem(await call("ann", "POST", `${CHANNELS}/${id}/rotate`), "conflict");
  });
});

describe("a websocket channel of the program", () => {
  it("200 tells its owner of alerts by the loops, and nobody else", async () => {
    const { topic } = await made({ kind: "websocket", name: "ws", filters: { symbols: ["aapl"] } });
    const { stream, database, eventLog, clock, metrics, notificationLoops } = program.parts;
    const owner = { userId: "ann", role: "trader" as const, anonymous: false };
    await stream.admit(stream.topicOf(String(topic)), owner);
    await expect(stream.admit(String(topic), { ...owner, userId: "bob" })).rejects.toMatchObject({
      code: "channel_not_found",
    });
    await database.transaction((sql) =>
      eventLog.append(
        sql,
        [alertOf(1, "AAPL"), alertOf(2, "MSFT")].map((alert) => ({
          topic: "alerts",
          payload: { kind: "created", alert },
        })),
      ),
    );
    const loops = notificationLoops.map((loop) => createLoop(loop, { clock, log: silentLog, metrics }));
    for (const loop of loops) loop.start();
    try {
      const told = async () => (await stream.replay(String(topic), 0)).events;
      await expect.poll(async () => (await told()).length, { timeout: 10_000 }).toBe(1);
      expect((await told()).map(({ frame }) => JSON.parse(frame).data)).toMatchObject([
        { type: "alert.created", data: { id: 1, symbol: "AAPL" } },
      ]);
    } finally {
      await Promise.all(loops.map((loop) => loop.stop()));
    }
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RawData } from "ws";
import { WebSocket } from "ws";
import { encodeFrame } from "../../src/core/ticks/frame.js";
import { eventually } from "../fixtures/faults.js";
import { KEYED, keyFor } from "../fixtures/keyed.js";
import { mixed } from "../fixtures/pipeline.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { openSocket, RefusedUpgrade } from "../fixtures/socket.js";

const START = Date.now() - 3_600_000;
/** Noon of a day on which currencies are traded. */
const WEDNESDAY = Date.UTC(2024, 2, 6, 12);
let program: TestProgram;
let address: string;
let keys: Record<"viewer" | "trader", string>;

beforeAll(async () => {
  program = await startTestProgram({ environment: KEYED, sockets: { pingEveryMs: 1_000 } });
  address = `${await program.listen()}`;
  keys = {
    viewer: await keyFor(program, "vera", "viewer"),
    trader: await keyFor(program, "tom", "trader"),
  };
});
let isOpen = true;
afterAll(async () => {
  if (isOpen) await program.close();
});

const opened: WebSocket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.terminate();
});

type Answer = Readonly<Record<string, unknown>>;

/** A sender: each frame resolves with its answer. */
async function open(headers: Record<string, string> = { "x-api-key": keys.trader }, path = "/ws/ticks") {
  const socket = new WebSocket(`${address.replace(/^http/, "ws")}${path}`, { headers });
  opened.push(socket);
  const answers: Answer[] = [];
  socket.on("message", (data: RawData) => answers.push(JSON.parse(String(data)) as Answer));
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.on("error", reject);
    socket.on("unexpected-response", (_request, response) =>
      reject(new RefusedUpgrade(response.statusCode ?? 0, "")),
    );
  });
  let sent = 0;
  async function send(frame: object | string | Uint8Array): Promise<Answer> {
    const number = ++sent;
    const isText = typeof frame === "object" && !(frame instanceof Uint8Array);
    socket.send(isText ? JSON.stringify(frame) : frame);
    await eventually(`the answer to frame ${number}`, () => answers.length >= number);
    return answers[number - 1];
  }
  return { socket, send, answers, closed };
}

let made = 0;
/** Ticks that no other test sends. */
const rows = (count: number) =>
  Array.from({ length: count }, () => {
    made++;
    return { symbol: "BTC-USD", time: START + 100 * made, price: 100 + (made % 9) / 100, size: 1, id: made };
  });

describe("POST /api/ticks/quotes", () => {
  const quote = (i: number, bid: number, ask: number) => ({
    ...{ symbol: "EURUSD=X", time: WEDNESDAY + 1_000 * i },
    ...{ bid, ask },
  });
  const send = async (rows: unknown, headers = {}) => {
    const payload = rows as object;
    const url = "/api/ticks/quotes";
    const all = { "x-api-key": keys.trader, ...headers };
    const answer = (await program.call({ method: "POST", url, headers: all, payload })).json();
    const reasons = answer.rejected?.map(
      (row: { index: number; reason: string }) => `${row.index} ${row.reason}`,
    );
    return { ...answer, reasons };
  };

  it("200 once under its key, whatever the sides were before; 422 for other quotes", async () => {
    const key = { "idempotency-key": "q" };
    const quotes = [quote(0, 1.1, 0), quote(1, 0, 1.1002), quote(2, 1.1001, 0)];
    const first = await send(quotes, key);
    expect(first).toMatchObject({ accepted: 2, repeated: false, reasons: ["0 one_sided"] });
    expect(await send(quotes, key)).toEqual({ ...first, repeated: true });
    expect((await send([quote(3, 1.1, 1.1002)], key)).code).toBe("idempotency_key_reused");
  });

  it("200 with sides as they were after quotes that come late or from the future", async () => {
    expect(await send([quote(400, 1.1, 1.1002)])).toMatchObject({ accepted: 1 });
    const other = await send([
      quote(-3_600, 0.5, 0.5001),
      { ...quote(0, 0.5, 0.5001), time: Date.now() + 60_000 },
    ]);
    expect(other.reasons).toEqual(["0 late", "1 from_the_future"]);
    expect(await send([quote(401, 1.1, 0)])).toMatchObject({ accepted: 1, rejected: [] });
  });
});

describe("/ws/ticks", () => {
  it("answers text frames as the body of POST /api/ticks is answered, in their order", async () => {
    const { send } = await open();
    expect(await send(rows(2))).toEqual({
      ...{ type: "ack", frame: 1, accepted: 2, rejected: [], held: [], repeated: false },
    });
    expect(await send({ ticks: rows(1) })).toMatchObject({ frame: 2, accepted: 1 });
    for (const frame of [
      ` { "ticks": ${JSON.stringify(rows(1))}}`,
      JSON.stringify({ ticks: rows(1) }, null, 2),
    ])
      expect(await send(frame)).toMatchObject({ accepted: 1, rejected: [] });
    expect(await send(JSON.stringify(rows(1)[0]))).toMatchObject({ accepted: 1 });
    const [first, second] = rows(2).map((row) => JSON.stringify(row));
    expect(await send(`${first}\nnot JSON\n${second}`)).toMatchObject({
      ...{ frame: 6, accepted: 2, rejected: [{ index: 1, reason: "row is not JSON" }] },
    });
  });

  it("takes a frame under a key once, over any socket, and as POST /api/ticks does", async () => {
    const [one, two] = [await open(), await open()];
    const frame = { key: "k", ticks: rows(3) };
    expect(await one.send(frame)).toMatchObject({ accepted: 3, repeated: false });
    expect(await two.send(frame)).toMatchObject({ accepted: 3, repeated: true });
    const headers = { "x-api-key": keys.trader, "idempotency-key": "k" };
    const posted = await program.call({ method: "POST", url: "/api/ticks", headers, payload: frame.ticks });
    expect(posted.json()).toMatchObject({ accepted: 3, repeated: true });
    expect(await one.send({ key: "k", ticks: rows(1) })).toMatchObject({ code: "idempotency_key_reused" });
  });

  it("takes binary frames, every bit as it is", async () => {
    const { send } = await open();
    const ticks = rows(500);
    const batch = mixed({
      "ETH-USD": {
        time: Float64Array.from(ticks, ({ time }) => time),
        price: Float64Array.from(ticks, ({ price }) => price),
        size: Float64Array.from(ticks, ({ size }) => size),
      },
    });
    batch.ticks.price[3] = Number.NaN;
    batch.ticks.size[4] = -1;
    batch.ticks.id.fill(Number.NaN);
    batch.ticks.id[2] = 2 ** 53;
    batch.ticks.id[5] = Number.MAX_SAFE_INTEGER;
    expect(await send(encodeFrame(batch))).toEqual({
      ...{ type: "ack", frame: 1, accepted: 497, held: [], repeated: false },
      rejected: [
        { index: 2, reason: "id_not_exact: id is not a whole number within 2^53 - 1" },
        { index: 3, reason: "not_finite" },
        { index: 4, reason: "size_negative" },
      ],
    });
  });

  it("says what is wrong with a frame, and goes on", async () => {
    const { send } = await open();
    const frame = encodeFrame(
      mixed({
        "ETH-USD": { time: Float64Array.of(START), price: Float64Array.of(1), size: Float64Array.of(1) },
      }),
    );
    for (const [broken, detail] of [
      ["[1,", "body is not a JSON array"],
      ['{"key":', "is no JSON"],
      ['{"key":"a b","ticks":[]}', "not {key, ticks}"],
      ['{"ticks":1}', "not {key, ticks}"],
      [frame.subarray(0, 10), "shorter than its header"],
      [frame.subarray(0, frame.length - 1), "says that it has"],
      [Uint8Array.from(frame, (byte, i) => (i === 0 ? 0 : byte)), "TXTK"],
    ] as const) {
      const answer = await send(broken);
      expect(answer).toMatchObject({ type: "error", code: "invalid_request" });
      expect(answer.detail).toContain(detail);
    }
    expect(await send(rows(1))).toMatchObject({ type: "ack", accepted: 1 });
  });

  it("is closed by a frame of more than 64 KiB", async () => {
    const { socket, closed } = await open();
    socket.send("x".repeat(70_000));
    expect(await closed).toBe(1009);
  });

  it("lets in traders, by key or ticket, and nobody else", async () => {
    await expect(open({})).rejects.toMatchObject({ status: 401 });
    await expect(open({ "x-api-key": keys.viewer })).rejects.toMatchObject({ status: 403 });
    const headers = { "x-api-key": keys.trader };
    const ticket = (await program.call({ method: "POST", url: "/api/auth/ws-ticket", headers })).json();
    const path = `/ws/ticks?ticket=${encodeURIComponent(ticket.data.token)}`;
    const { send } = await open({}, path);
    expect(await send(rows(1))).toMatchObject({ accepted: 1 });
    await expect(open({}, path)).rejects.toMatchObject({ status: 401 });
    const plain = await program.server.inject({ url: "/ws/ticks", headers });
    expect(plain.statusCode).toBe(426);
  });

  it("is not read from while its answers are not read, and loses nothing", async () => {
    const { socket, answers } = await open();
    const stream = (socket as unknown as { _socket: import("node:net").Socket })._socket;
    stream.pause();
    const FRAMES = 300;
    for (let k = 0; k < FRAMES; k++)
      socket.send(JSON.stringify(rows(20).map((row) => ({ ...row, symbol: 5 }))));
    await new Promise((resolve) => setTimeout(resolve, 50));
    stream.resume();
    await eventually("all answers", () => answers.length === FRAMES);
    expect(answers.map(({ frame }) => frame)).toEqual(Array.from({ length: FRAMES }, (_, k) => k + 1));
    expect(answers.every(({ rejected }) => (rejected as unknown[]).length === 20)).toBe(true);
  });

  it("is closed when its key is revoked", async () => {
    const key = await keyFor(program, "rita", "trader");
    const { send, closed } = await open({ "x-api-key": key });
    expect(await send(rows(1))).toMatchObject({ accepted: 1 });
    const headers = { "x-api-key": key };
    const listed = (await program.call({ url: "/api/auth/keys", headers })).json();
    const [{ id }] = listed.data;
    await program.call({ method: "DELETE", url: `/api/auth/keys/${id}`, headers });
    expect(await closed).toBe(4401);
  });

  it("is closed when nothing is heard of it any more", async () => {
    const { socket, closed } = await open();
    // It answers no ping.
    (socket as unknown as { pong: () => void }).pong = () => undefined;
    expect(await closed).toBe(1006);
  });

  it("counts among the sockets, and is told goodbye", async () => {
    const { closed } = await open();
    const listener = await openSocket(address, { headers: { "x-api-key": keys.viewer } });
    const headers = { "x-api-key": keys.viewer };
    const { data } = (await program.call({ url: "/api/stats/system", headers })).json();
    expect(data.sockets.clients).toBeGreaterThanOrEqual(2);
    program.parts.health.drain();
    await expect(open()).rejects.toMatchObject({ status: 503 });
    await listener.close();
    isOpen = false;
    await program.close();
    expect(await closed).toBe(1001);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBroadcast } from "../../src/features/stream/broadcast.js";
import { createClients, newClient } from "../../src/features/stream/clients.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { type Frame, openSocket, publishEvents, refusal } from "../fixtures/socket.js";
import { openWire, type Wire } from "../fixtures/wire.js";

const typed = (type: string) => (frame: Frame) => frame.type === type;

const UPGRADE = [
  "GET /ws?topics=alerts HTTP/1.1",
  "host: localhost",
  "connection: upgrade",
  "upgrade: websocket",
  "sec-websocket-version: 13",
  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** A socket without a library behind it: what it sends and whether it reads is up to the test. */
async function openRawSocket(address: string): Promise<Wire> {
  const wire = await openWire(address, `${UPGRADE.join("\r\n")}\r\n\r\n`);
  await expect.poll(() => wire.text()).toContain("welcome");
  return wire;
}

/** A masked frame. @param head first byte: 0x81 text, 0x01 first fragment, 0x00 further one, 0x80 last one. */
function rawFrame(head: number, payload: string, masked = true): Buffer {
  const body = Buffer.from(payload);
  const length =
    body.length < 126 ? Buffer.from([body.length]) : Buffer.from([126, body.length >> 8, body.length & 255]);
  if (!masked) return Buffer.concat([Buffer.from([head]), length, body]);
  length[0] |= 0x80;
  return Buffer.concat([Buffer.from([head]), length, Buffer.alloc(4), body]);
}

/** Code of the close frame that came last. */
async function closeCode(wire: Wire): Promise<number> {
  await wire.closed;
  const bytes = Buffer.from(wire.text(), "latin1");
  const at = bytes.lastIndexOf(0x88);
  return at < 0 ? 1006 : bytes.readUInt16BE(at + 2);
}

/** A number as two letters. */
const letters = (n: number) => String.fromCharCode(65 + Math.floor(n / 26), 65 + (n % 26));

describe("sizes and shapes of what a client sends", () => {
  let program: TestProgram;
  let address: string;
  beforeAll(async () => {
    program = await startTestProgram();
    address = await program.listen();
  });
  afterAll(() => program.close());

  it("64 KiB are read, one byte more ends the connection (1009)", async () => {
    const socket = await openSocket(address);
    socket.socket.send("x".repeat(64 * 1024));
    await socket.heard(typed("error"));
    socket.socket.send("x".repeat(64 * 1024 + 1));
    expect(await socket.closed).toBe(1009);
  });

  it("20 MiB end the connection (1009) without being kept", async () => {
    const socket = await openSocket(address);
    const before = process.memoryUsage().rss;
    socket.socket.send(Buffer.alloc(20 * 1024 * 1024, "x"), { binary: false });
    expect(await socket.closed).toBe(1009);
    // The client of this test holds the 20 MiB itself.
    expect(process.memoryUsage().rss - before).toBeLessThan(60 * 1024 * 1024);
  });

  it("16,000 fragments that never end, end the connection (1008)", async () => {
    const wire = await openRawSocket(address);
    wire.socket.write(
      Buffer.concat([rawFrame(0x01, "a"), ...Array.from({ length: 16_000 }, () => rawFrame(0x00, "a"))]),
    );
    expect(await closeCode(wire)).toBe(1008);
  });

  it("fragments within the limit are one frame", async () => {
    const wire = await openRawSocket(address);
    wire.socket.write(
      Buffer.concat([rawFrame(0x01, '{"type":'), rawFrame(0x00, '"pi'), rawFrame(0x80, 'ng"}')]),
    );
    await expect.poll(() => wire.text()).toContain('"pong"');
    wire.socket.destroy();
  });

  it.each<[string, () => Buffer, number]>([
    [
      "text that is no UTF-8",
      () => Buffer.concat([rawFrame(0x81, ""), Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28])]),
      1007,
    ],
    ["an unmasked frame", () => rawFrame(0x81, '{"type":"ping"}', false), 1002],
    ["a reserved bit", () => rawFrame(0xc1, "x"), 1002],
    ["a reserved kind", () => rawFrame(0x83, "x"), 1002],
    ["a fragment of nothing", () => rawFrame(0x80, "x"), 1002],
    ["a fragmented ping", () => rawFrame(0x09, "x"), 1002],
    [
      "a length that is not minimal",
      () => Buffer.from([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
      1009,
    ],
  ])("%s ends the connection", async (_name, make, code) => {
    const wire = await openRawSocket(address);
    wire.socket.write(make());
    expect(await closeCode(wire)).toBe(code);
    expect((await program.call("/livez")).statusCode).toBe(200);
  });

  it("more than 200 frames in ten seconds end the connection (1008), and what follows is ignored", async () => {
    const socket = await openSocket(address);
    for (let i = 0; i < 2_000; i++) socket.send({ type: "ping" });
    expect(await socket.closed).toBe(1008);
    expect(socket.frames.filter(typed("pong")).length).toBeLessThanOrEqual(200);
    const { body } = await program.server.inject("/metrics");
    expect(body).toContain('tx_ws_cuts_total{reason="too many frames"} 1');
  });

  it("more than 200 topics are refused, in one frame or in many", async () => {
    const socket = await openSocket(address);
    const topics = Array.from({ length: 201 }, (_, i) => `candles:S${letters(i)}:1h`);
    socket.send({ type: "subscribe", topics });
    expect(await socket.heard(typed("error"))).toMatchObject({ code: "invalid_request" });
    for (let i = 0; i < 200; i += 50) socket.send({ type: "subscribe", topics: topics.slice(i, i + 50) });
    socket.send({ type: "subscribe", topics: [topics[200], topics[3]] });
    const refused = await socket.heard(
      ({ type, detail }) => type === "error" && String(detail).includes("At most 200"),
    );
    expect(refused.code).toBe("invalid_request");
    expect(socket.frames.filter(typed("subscribed")).length).toBe(200);
    await socket.close();
  });

  it("one topic named 200 times is read back once", async () => {
    const socket = await openSocket(address);
    socket.send({ type: "subscribe", topics: Array(200).fill("alerts"), since: { alerts: 0 } });
    await socket.heard(typed("resumed"));
    socket.send({ type: "ping" });
    await socket.heard(typed("pong"));
    expect(socket.frames.filter(typed("resumed"))).toHaveLength(1);
    await socket.close();
  });
});

describe("how many sockets are open", () => {
  it("503 beyond the limit of all, 429 beyond that of an address, and 101 again when one is gone", async () => {
    const program = await startTestProgram({
      environment: { TRUST_PROXY_HOPS: "1" },
      sockets: { clients: 4, clientsAnAddress: 2 },
    });
    const address = await program.listen();
    const from = (ip: string) => openSocket(address, { headers: { "x-forwarded-for": ip } });
    const [first] = [await from("203.0.113.1"), await from("203.0.113.1")];
    expect(await refusal(from("203.0.113.1"))).toEqual({ status: 429, code: "rate_limited" });
    const third = await from("2001:db8::1");
    const fourth = await from("2001:db8::2");
    expect(await refusal(from("203.0.113.2"))).toEqual({ status: 503, code: "overloaded" });
    await Promise.all([first.close(), fourth.close()]);
    expect((await refusal(from("203.0.113.1"))).status).toBe(101);
    await third.close();
    await program.close();
  });
});

describe("clients that do not keep up", () => {
  it("are cut when silent, while those who answer pings stay", async () => {
    const program = await startTestProgram({ sockets: { pingEveryMs: 100 } });
    const address = await program.listen();
    const silent = await openRawSocket(address);
    const answering = await openSocket(address);
    expect(await silent.closed).toBeLessThan(2_000);
    const beats = () => answering.frames.filter(typed("heartbeat"));
    await expect.poll(() => beats().length).toBeGreaterThanOrEqual(2);
    expect(beats()[0]).toEqual({ type: "heartbeat", time: expect.stringMatching(/Z$/) });
    expect(answering.socket.readyState).toBe(answering.socket.OPEN);
    expect((await program.server.inject("/metrics")).body).toContain('tx_ws_cuts_total{reason="silent"} 1');
    await answering.close();
    await program.close();
  });

  it("are cut at 1 MiB unread, while the others get every frame in order", { timeout: 30_000 }, async () => {
    const program = await startTestProgram();
    const address = await program.listen();
    const stalled = await Promise.all(Array.from({ length: 3 }, () => openRawSocket(address)));
    for (const { socket } of stalled) socket.pause();
    const healthy = await Promise.all(
      Array.from({ length: 5 }, () => openSocket(address, { query: "topics=alerts" })),
    );
    await Promise.all(healthy.map((socket) => socket.heard(typed("subscribed"))));
    const count = 400;
    const numbers = Array.from({ length: count }, (_, i) => i);
    const heardUntil = (n: number) => (frame: Frame) => (frame.data as { n?: number } | undefined)?.n === n;
    // 12 MB in all: more than the kernel keeps for those who do not read. 600 kB at a time: whoever reads has read them.
    for (let i = 0; i < count; i += 20) {
      await publishEvents(program.parts as never, "alerts", numbers.slice(i, i + 20), "x".repeat(30_000));
      await Promise.all(healthy.map((socket) => socket.heard(heardUntil(i + 19))));
    }
    for (const { frames } of healthy) {
      const seen = frames.filter(typed("event")).map(({ data }) => (data as { n: number }).n);
      expect(seen).toEqual(numbers);
    }
    await expect.poll(() => program.parts.health.socketClients(), { timeout: 5_000 }).toBe(healthy.length);
    expect((await program.server.inject("/metrics")).body).toContain('tx_ws_cuts_total{reason="slow"} 3');
    for (const { socket } of stalled) socket.destroy();
    await Promise.all(healthy.map((socket) => socket.close()));
    await program.close();
  });
});

describe("createBroadcast", () => {
  it("gives each receiver every frame in order, and other work its turn between slices", async () => {
    const receivers = Array.from({ length: 1_300 }, () => [] as number[]);
    const broadcast = createBroadcast<number[], number>((receiver, frames) => void receiver.push(...frames));
    let turns = 0;
    const ticking = setInterval(() => turns++, 0);
    const other = () => new Promise((resolve) => setImmediate(resolve));
    for (let frame = 0; frame < 50; frame++) {
      broadcast(frame % 2 === 0 ? receivers : receivers.slice(0, 700), frame);
      if (frame % 7 === 0) await other();
    }
    while (receivers[0].length < 50) await other();
    for (let i = 0; i < 5; i++) await other();
    clearInterval(ticking);
    const all = Array.from({ length: 50 }, (_, i) => i);
    for (const [i, seen] of receivers.entries()) {
      expect(seen).toEqual(i < 700 ? all : all.filter((frame) => frame % 2 === 0));
    }
    expect(turns).toBeGreaterThan(0);
  });

  it("sends at once what piled up for a receiver", async () => {
    const sent: number[][] = [];
    const broadcast = createBroadcast<object, number>((_, frames) => void sent.push([...frames]));
    const receivers = Array.from({ length: 501 }, () => ({}));
    for (const frame of [1, 2, 3]) broadcast(receivers, frame);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent.length).toBe(500);
    broadcast(receivers, 4);
    while (sent.length < 1_001) await new Promise((resolve) => setImmediate(resolve));
    expect(sent[0]).toEqual([1, 2, 3]);
    // The last one still waited; the others are served again.
    expect(sent[500]).toEqual([1, 2, 3, 4]);
    expect(sent.slice(501).every((frames) => frames.length === 1 && frames[0] === 4)).toBe(true);
  });
});

describe("createClients", () => {
  it("keeps nothing of a client that went while its frame was handled", async () => {
    const sent: unknown[] = [];
    const port = {
      isOpen: true,
      unsent: 0,
      send: (frame: unknown) => void sent.push(frame),
      together: (work: () => void) => work(),
      close: () => undefined,
      terminate: () => undefined,
    };
    const heard = new Map<string, number>();
    const count = (topic: string, change: number) => heard.set(topic, (heard.get(topic) ?? 0) + change);
    const interest = {
      follow: (topic: string) => void count(topic, 1),
      leave: (topic: string) => void count(topic, -1),
    };
    const clients = createClients(createMetrics("test"), interest);
    const client = newClient(port, "a", { userId: "u", role: "viewer", anonymous: false });
    clients.add(client);
    clients.join(client, "alerts");
    clients.publish("alerts", "1", 1);
    await new Promise((resolve) => setImmediate(resolve));
    clients.remove(client);
    clients.join(client, "alerts");
    clients.hold(client, "scan");
    clients.publish("alerts", "2", 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent.map(String)).toEqual(["1"]);
    expect(client.topics.size).toBe(0);
    expect(clients.at("a")).toBe(0);
    expect([...heard]).toEqual([["alerts", 0]]);
  });
});

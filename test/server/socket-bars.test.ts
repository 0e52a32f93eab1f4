import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { type Frame, openSocket } from "../fixtures/socket.js";

const TOPIC = "candles:DOGE-USD:1h";
const clock = createManualClock(Date.parse("2026-01-06T12:30:00Z"));
let program: TestProgram;
let address: string;
beforeAll(async () => {
  program = await startTestProgram({ clock });
  address = await program.listen();
});
afterAll(() => program.close());

describe("a topic of what is not scanned", () => {
  it("is told each bar as it closes, once to each who listens, after a snapshot that ends before it", async () => {
    expect(program.parts.scanner.config().symbols).not.toContain("DOGE-USD");
    const sockets = await Promise.all([openSocket(address), openSocket(address)]);
    for (const socket of sockets) socket.send({ type: "subscribe", topics: [TOPIC], snapshot: true });
    for (const socket of sockets) {
      const { data } = await socket.heard(({ type }) => type === "snapshot");
      const { candles } = data as { candles: { timestamp: string }[] };
      expect(candles.at(-1)?.timestamp).toBe("2026-01-06T11:00:00.000Z");
    }
    clock.advance(31 * 60_000);
    const isBar = ({ type, topic }: Frame) => type === "event" && topic === TOPIC;
    const [first, second] = await Promise.all(sockets.map((socket) => socket.heard(isBar)));
    expect(first).toMatchObject({
      ...{ seq: null, previous_seq: null },
      data: {
        ...{ timestamp: "2026-01-06T12:00:00.000Z", closed_at: "2026-01-06T13:00:00.000Z" },
        ...{ close: expect.any(Number), synthetic: true },
      },
    });
    expect(second).toEqual(first);
    const payload = first.data;
    await program.parts.eventLog.announce({ topic: TOPIC, payload });
    for (const socket of sockets) {
      socket.send({ type: "ping" });
      await socket.heard(({ type }) => type === "pong");
      expect(socket.frames.filter(isBar)).toHaveLength(1);
      await socket.close();
    }
  });
});

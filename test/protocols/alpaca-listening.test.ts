import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { systemClock } from "../../src/platform/clock.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { JSON_CODEC } from "../../src/protocols/alpaca/codec.js";
import {
  CONNECTION_SETTINGS,
  type Connection,
  createConnections,
} from "../../src/protocols/alpaca/connection.js";
import { openTradeStream } from "../../src/protocols/alpaca/trade-stream.js";
import { eventually } from "../fixtures/faults.js";
import { silentLog } from "../fixtures/log.js";

describe("the stream of orders", () => {
  it("says that it listens once nothing can be missed any more", async () => {
    const sent: unknown[] = [];
    let ready: (stop: () => void) => void = () => undefined;
    const stopped = vi.fn();
    const principal = { userId: "u" } as Connection["principal"];
    const connection: Connection = {
      ip: "",
      principal,
      send: (each) => sent.push(each),
      close: () => undefined,
    };
    const subscribe = () => new Promise<() => void>((resolve) => (ready = resolve));
    const dialogue = openTradeStream(
      { updates: { subscribe }, identify: vi.fn(), loginMs: 1_000 },
      connection,
    );
    const frame = { action: "listen", data: { streams: ["trade_updates"] } };
    const first = dialogue.hear(frame);
    await Promise.resolve();
    expect(sent).toEqual([]);
    ready(stopped);
    await first;
    expect(sent).toEqual([{ stream: "listening", data: frame.data }]);
    // One that goes away meanwhile is not followed.
    const second = dialogue.hear(frame);
    expect(stopped).toHaveBeenCalledTimes(1);
    dialogue.end();
    ready(stopped);
    await second;
    expect([stopped.mock.calls.length, sent.length]).toEqual([2, 1]);
  });
});

describe("a client that has stopped to read", () => {
  it("is gone within ten seconds, though nothing waits for it, and one that reads is not", async () => {
    const { pingEveryMs, silenceMs } = CONNECTION_SETTINGS;
    expect(pingEveryMs + silenceMs).toBeLessThanOrEqual(10_000);
    const quick = { ...CONNECTION_SETTINGS, pingEveryMs: pingEveryMs / 40, silenceMs: silenceMs / 40 };
    const connections = createConnections({
      settings: quick,
      stands: async () => true,
      clock: systemClock,
      log: silentLog,
      metrics: createMetrics("test"),
    });
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => {
      connections.close();
      server.close();
    });
    const idle = { hear: async () => undefined, slow: () => undefined, end: () => undefined };
    server.on("connection", (socket) =>
      connections.attach(socket, { ip: "", principal: null, codec: JSON_CODEC }, () => idle),
    );
    await once(server, "listening");
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const [reading, stalled] = [new WebSocket(url), new WebSocket(url)];
    onTestFinished(() => {
      for (const socket of [reading, stalled]) socket.terminate();
    });
    await Promise.all([once(reading, "open"), once(stalled, "open")]);
    await eventually("both are held", () => connections.size() === 2);
    stalled.pause();
    const since = performance.now();
    await eventually("one is gone", () => connections.size() === 1);
    expect(performance.now() - since).toBeGreaterThan(quick.silenceMs / 2);
    await new Promise((resolve) => setTimeout(resolve, 2 * quick.silenceMs));
    expect([connections.size(), reading.readyState]).toEqual([1, WebSocket.OPEN]);
  });
});

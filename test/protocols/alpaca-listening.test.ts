import { describe, expect, it, vi } from "vitest";
import type { Connection } from "../../src/protocols/alpaca/connection.js";
import { openTradeStream } from "../../src/protocols/alpaca/trade-stream.js";

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

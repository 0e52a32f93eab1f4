import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Watch, watchOver } from "../../src/platform/embedded-watch.js";
import { expectNothingUnhandled } from "../fixtures/faults.js";
import { createRecordedLog } from "../fixtures/log.js";

// First, so that it ends last: it waits in real time.
expectNothingUnhandled();
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A server that ends, and starts or not, as a test has it. */
function createServer() {
  const recorded = createRecordedLog();
  const state = { trouble: null as string | null, starts: true, livesMs: Number.POSITIVE_INFINITY };
  const restarts: number[] = [];
  const faults: (string | null)[] = [];
  const watch: Watch = watchOver(
    {
      name: "server",
      trouble: () => state.trouble,
      async restart() {
        restarts.push(performance.now());
        if (!state.starts) throw new Error("disk full");
        state.trouble = null;
        if (state.livesMs < Number.POSITIVE_INFINITY)
          setTimeout(() => {
            state.trouble = "ended again";
          }, state.livesMs);
      },
    },
    recorded.log,
  );
  watch.onFault((reason) => faults.push(reason));
  const pauses = () => restarts.slice(1).map((time, i) => time - (restarts[i] ?? 0));
  return { state, restarts, faults, watch, pauses, lines: recorded.lines };
}

describe("a watch", () => {
  it("begins an ended server again at once and tells of both", async () => {
    const { state, restarts, faults, watch, lines } = createServer();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(faults).toEqual([]);
    state.trouble = "ended";
    watch.look();
    await vi.advanceTimersByTimeAsync(1);
    expect(restarts).toHaveLength(1);
    expect(faults).toEqual(["ended", null]);
    expect(lines().join()).toContain("server ended; starting it again");
    expect(lines().join()).toContain("server serves again");
    await watch.stop();
  });

  it("sees it without being told", async () => {
    const { state, restarts, watch } = createServer();
    state.trouble = "ended";
    await vi.advanceTimersByTimeAsync(300);
    expect(restarts).toHaveLength(1);
    await watch.stop();
  });

  it("pauses longer each time while the server does not start, half a minute at most, and says why", async () => {
    const { state, faults, pauses, watch, lines } = createServer();
    Object.assign(state, { trouble: "ended", starts: false });
    await vi.advanceTimersByTimeAsync(150_000);
    expect(pauses().slice(0, 8)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(faults).toEqual(["ended", "disk full"]);
    expect(lines().join()).toContain("server did not start again");
    state.starts = true;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(faults.at(-1)).toBeNull();
    await watch.stop();
  });

  it("pauses, too, when the server starts and ends again soon, and not after it served for long", async () => {
    const { state, restarts, pauses, watch } = createServer();
    Object.assign(state, { trouble: "ended", livesMs: 1_000 });
    await vi.advanceTimersByTimeAsync(12_000);
    expect(pauses()[0]).toBeGreaterThanOrEqual(1_500);
    expect(pauses()[1]).toBeGreaterThanOrEqual(2_000);
    expect(pauses()[2]).toBeGreaterThanOrEqual(3_000);
    Object.assign(state, { livesMs: Number.POSITIVE_INFINITY });
    await vi.advanceTimersByTimeAsync(120_000);
    const before = restarts.length;
    state.trouble = "ended";
    await vi.advanceTimersByTimeAsync(300);
    expect(restarts).toHaveLength(before + 1);
    await watch.stop();
  });

  it("leaves a server alone that comes back by itself", async () => {
    const { state, restarts, faults, watch } = createServer();
    Object.assign(state, { trouble: "ended", starts: false });
    await vi.advanceTimersByTimeAsync(300);
    state.trouble = null;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(restarts).toHaveLength(1);
    expect(faults.at(-1)).toBeNull();
    await watch.stop();
  });

  it("begins nothing once it is stopped", async () => {
    const { state, restarts, watch } = createServer();
    await watch.stop();
    state.trouble = "ended";
    await vi.advanceTimersByTimeAsync(60_000);
    expect(restarts).toEqual([]);
  });

  it("tells who comes later what is wrong", async () => {
    const { state, watch } = createServer();
    Object.assign(state, { trouble: "ended", starts: false });
    await vi.advanceTimersByTimeAsync(300);
    const heard: unknown[] = [];
    watch.onFault((reason) => heard.push(reason));
    expect(heard).toEqual(["disk full"]);
    await watch.stop();
  });
});

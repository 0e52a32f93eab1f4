import { describe, expect, it } from "vitest";
import { createBus } from "../../src/platform/bus.js";
import type { Database } from "../../src/platform/database.js";
import type { ManualClock } from "../fixtures/clock.js";
import type { ScriptedProvider } from "../fixtures/providers.js";
import { useScanners } from "../fixtures/scanner.js";

const MINUTE = 60_000;
const START = Date.parse("2024-07-09T12:00Z");

let database: Database;
let clock: ManualClock;
let provider: ScriptedProvider;
const open = useScanners(START, (setup) => {
  ({ database, clock, provider } = setup);
});

describe("the scanner", () => {
  it("does nothing until it is started, then scans, and stops when told", async () => {
    const { scanner, scan, triggers } = open({ active: false });
    await scan();
    expect((await scanner.status()).newest).toBeNull();
    clock.advance(1_234);
    const config = await scanner.start({ symbols: ["eth", "ETH-USD"], intervalS: 60 });
    expect(config).toMatchObject({
      active: true,
      symbols: ["ETH-USD"],
      intervalS: 60,
      startedAt: clock.now(),
    });
    expect(triggers()).toBe(1);
    // It does not wait for the next slot.
    await scan();
    expect((await scanner.status()).newest).toMatchObject({ slot: clock.now(), symbols: 1, bars: 200 });
    await expect(scanner.start({})).rejects.toMatchObject({ code: "scanner_already_active" });
    clock.advance(5 * MINUTE);
    const stopped = await scanner.stop();
    expect(stopped.config).toMatchObject({ active: false, stoppedAt: clock.now() });
    expect(stopped.totals).toMatchObject({ scans: 1, symbols: 1, bars: 200 });
    await scan();
    expect(await database.query("select 1 from scans")).toHaveLength(1);
  });

  it("is started once, however many ask at the same time", async () => {
    const scanners = [1, 2].map((n) => open({ active: false, owner: `instance ${n}` }).scanner);
    const asked = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => scanners[i % 2].start({ intervalS: 60 + i })),
    );
    expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of asked) {
      if (result.status === "rejected")
        expect(result.reason).toMatchObject({ code: "scanner_already_active" });
    }
  });

  it("keeps every one of many changes made at the same time", async () => {
    const scanners = [1, 2, 3].map((n) => open({ owner: `instance ${n}` }).scanner);
    await Promise.all([
      scanners[0].configure({ intervalS: 777 }),
      scanners[1].configure({ autoAlerts: false }),
      scanners[2].configure({ symbols: ["ETH"] }),
    ]);
    for (const scanner of scanners) {
      expect((await scanner.status()).config).toMatchObject({
        intervalS: 777,
        autoAlerts: false,
        symbols: ["ETH-USD"],
      });
    }
  });

  it("scans at once where it runs, whichever instance was asked, and tells the same on all", async () => {
    const bus = createBus(() => undefined);
    const leader = open({ bus, owner: "leader" });
    await leader.scan();
    clock.advance(MINUTE);
    const follower = open({ bus, owner: "follower" });
    await follower.scan();
    await follower.scanner.configure({ symbols: ["ETH-USD"] });
    expect([leader.triggers(), follower.triggers()]).toEqual([1, 1]);
    await follower.scan();
    await leader.scan();
    expect((await leader.scanner.status()).newest).toMatchObject({
      slot: clock.now(),
      symbols: 1,
      bars: 200,
    });
    const told = [await leader.scanner.status(), await follower.scanner.status()];
    expect(told[1]).toEqual({ ...told[0], leader: false });
    expect(told[0].config.startedAt).toBe(START);
    // What was asked is done: the follower waits for the slots like any other when it takes over.
    await leader.parts.leases.release("scanner");
    clock.advance(5 * MINUTE + 7_000);
    await follower.scan();
    expect(((await follower.scanner.status()).newest?.slot ?? 1) % (5 * MINUTE)).toBe(0);
  });

  it("scans at once when it is changed, whatever the slot", async () => {
    const { scanner, scan, triggers } = open();
    await scan();
    clock.advance(MINUTE);
    await scanner.configure({ symbols: ["ETH-USD"] });
    expect(triggers()).toBe(1);
    await scan();
    expect((await scanner.status()).newest).toMatchObject({ slot: clock.now(), bars: 200 });
    await scanner.stop();
    await scanner.configure({ intervalS: 7 });
    expect(triggers()).toBe(1);
  });

  it("has the changes of another instance with its next run, and after a restart; what nobody changed follows the environment", async () => {
    const [first, second] = [open({ owner: "first" }), open({ owner: "second" })];
    await first.scan();
    await second.scanner.configure({ symbols: ["ETH-USD"], autoAlerts: false });
    clock.advance(5 * MINUTE);
    await first.scan();
    expect(first.scanner.config()).toMatchObject({ symbols: ["ETH-USD"], autoAlerts: false });
    const decisions = await first.parts.alerts.decisions({ symbol: "ETH-USD" }, 500);
    expect(decisions.length).toBeGreaterThan(10);
    expect(decisions.every(({ rule }) => rule === "alerts_enabled")).toBe(true);
    const restarted = open({ everyS: 77 });
    expect((await restarted.scanner.status()).config).toMatchObject({
      symbols: ["ETH-USD"],
      autoAlerts: false,
      intervalS: 77,
    });
  });

  it("ends a scan when it is asked to, and takes it up again", async () => {
    const scanner = open({ symbols: ["BTC-USD", "ETH-USD"] });
    const stop = new AbortController();
    provider.before(async ({ instrument }) => {
      if (instrument.symbol === "ETH-USD") stop.abort(new Error("the program stops"));
    });
    await expect(scanner.scan(stop.signal)).rejects.toThrow("the program stops");
    const newest = async () => (await scanner.scanner.status()).newest;
    expect(await database.query("select 1 from scan_cursors")).toHaveLength(1);
    expect(await newest()).toMatchObject({ status: "running", attempts: 1 });
    provider.before(async () => undefined);
    await scanner.scan();
    expect(await newest()).toMatchObject({ status: "finished", attempts: 2, bars: 200, failures: 0 });
  });
});

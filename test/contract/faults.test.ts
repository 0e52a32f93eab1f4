import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { barAt, type Candles, findInvalidBar } from "../../src/core/market/candles.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import { AppError } from "../../src/platform/errors.js";
import { createMetrics } from "../../src/platform/metrics.js";
import type { Provider } from "../../src/providers/define.js";
import { createGateway, type Gateway } from "../../src/providers/gateway.js";
import { silentLog } from "../fixtures/log.js";
import { createScriptedProvider } from "../fixtures/providers.js";
import { sharedPath } from "../fixtures/shared.js";
import { FAULTS, type Fault, recordedAnswer } from "../fixtures/stand-in.js";
import { startVendor, type Vendor } from "../fixtures/vendor.js";
import { VENDORS, type VendorRow } from "../fixtures/vendors.js";

const NOW = Date.parse("2024-07-09T15:00:30Z");
const FROM = Date.parse("2024-06-24T00:00Z");
const now = () => NOW;
const AAPL = ensure(classifySymbol("AAPL"), "AAPL");
const LIMIT_MS = 5_000;

const gatewayOf = (...providers: Provider[]): Gateway =>
  createGateway({ providers, now, log: silentLog, metrics: createMetrics("test"), dice: () => 0.5 });

const ask = (gateway: Gateway) => gateway.fetchCandles(AAPL, "1h", FROM, NOW);

async function timed<T>(work: Promise<T>): Promise<{ outcome: T | AppError; ms: number }> {
  const started = performance.now();
  const outcome = await work.catch((error: unknown) => {
    if (error instanceof AppError) return error;
    throw error;
  });
  return { outcome, ms: performance.now() - started };
}

/** Answers with a fault in place of what the service would have said. */
async function startFaulty(row: VendorRow, fault: Fault): Promise<Vendor> {
  const vendor = await startVendor();
  const service = row.service(now);
  vendor.answer(async (url) => {
    const good = await service(url);
    return fault.answer(typeof good === "function" ? "" : JSON.stringify(good.body));
  });
  return vendor;
}

/** Bars that are not those of the market. */
function badBars(candles: Candles, truth: Candles): unknown[] {
  const known = new Map(Array.from(truth.time, (time, i) => [time, JSON.stringify(barAt(truth, i))]));
  return Array.from(candles.time, (_, i) => barAt(candles, i)).filter(
    (bar) => known.get(bar.time) !== JSON.stringify(bar),
  );
}

describe.each(VENDORS)("$name", (row) => {
  let well: Vendor;
  let truth: Candles;
  beforeAll(async () => {
    well = await startVendor();
    well.answer(row.service(now));
    truth = (await ask(gatewayOf(row.open(well.url, now)))).candles;
  });
  afterAll(() => well.close());

  it("has at least forty ways to go wrong", ({ expect }) => {
    expect(FAULTS.filter(({ failure }) => failure !== null).length).toBeGreaterThanOrEqual(40);
    expect(truth.time.length).toBeGreaterThan(50);
  });

  const faults = [...FAULTS, ...row.faults];
  // Those that wait may wait together; those that send much would take each other's time.
  describe.each(faults.filter(({ failure }) => failure !== "timeout"))("$name", behaves);
  describe.concurrent.each(faults.filter(({ failure }) => failure === "timeout"))("$name", behaves);

  function behaves(fault: Fault): void {
    it("alone: no bad bar, its reason, in time", async ({ expect }) => {
      const vendor = await startFaulty(row, fault);
      const gateway = gatewayOf(row.open(vendor.url, now));
      const { outcome, ms } = await timed(ask(gateway));
      expect(ms).toBeLessThan(LIMIT_MS);
      const [health] = gateway.health();
      if (fault.failure === null) {
        expect(outcome).not.toBeInstanceOf(AppError);
        expect(badBars((outcome as { candles: Candles }).candles, truth)).toEqual([]);
        expect(health).toMatchObject({ ok: true, failures: 0, lastError: null });
      } else if (fault.failure === "unknown_symbol") {
        expect(outcome).toMatchObject({ code: "symbol_unknown" });
        expect(health).toMatchObject({ ok: true, failures: 0 });
      } else {
        expect(outcome).toMatchObject({ code: "provider_unavailable" });
        expect((outcome as AppError).message).toContain(`${row.name}: `);
        expect((outcome as AppError).message).not.toContain(vendor.url);
        if (fault.failure === "refused") expect(health).toMatchObject({ ok: true, failures: 0 });
        else expect(health.lastError).toMatch(new RegExp(`^${fault.failure}: `));
      }
      if (fault.requests !== undefined) expect(vendor.requests.length).toBe(fault.requests);
      const refused = fault.failure === "rate_limited" || fault.failure === "unauthorized";
      if (refused) expect(health).toMatchObject({ asideReason: "refusal" });
      await vendor.close();
    });

    it("before two others: the next one answers, in time", async ({ expect }) => {
      const vendor = await startFaulty(row, fault);
      const first = { ...row.open(vendor.url, now), name: "first" };
      const second = { ...row.open(well.url, now), name: "second" };
      const third = createScriptedProvider({ now, name: "third", seed: 8 });
      const { outcome, ms } = await timed(ask(gatewayOf(first, second, third)));
      expect(ms).toBeLessThan(LIMIT_MS);
      expect(outcome).not.toBeInstanceOf(AppError);
      const { source, candles } = outcome as { source: string; candles: Candles };
      expect(badBars(candles, truth)).toEqual([]);
      if (fault.failure !== null) {
        expect(source).toBe("second");
        expect(Array.from(candles.time)).toEqual(Array.from(truth.time));
      }
      expect(third.calls.length).toBe(0);
      await vendor.close();
    });
  }
});

const NAMES = VENDORS.map(({ name }) => name);

describe.each(NAMES)("recorded payloads of %s", (name) => {
  const folder = sharedPath("data", "api-fixtures", name);
  const row = ensure(
    VENDORS.find((vendor) => vendor.name === name),
    name,
  );
  const files = folder === null ? [] : readdirSync(folder).map((file) => file.replace(/\.json$/, ""));

  it.skipIf(folder === null)("are all told of", ({ expect }) => {
    expect(Object.keys(row.recorded).sort()).toEqual([...files].sort());
  });

  it.skipIf(folder === null).each(Object.entries(row.recorded))("%s", async (file, recorded) => {
    const vendor = await startVendor();
    vendor.answer(() => recordedAnswer(`${folder}/${file}.json`));
    // The day after, when minutes can still be had.
    const after = () => Date.parse(recorded.days[1]) + 86_400_000;
    const gateway = createGateway({
      providers: [row.open(vendor.url, after)],
      now: after,
      log: silentLog,
      metrics: createMetrics("test"),
    });
    const instrument = ensure(classifySymbol(recorded.symbol), recorded.symbol);
    const [from, to] = recorded.days.map((day) => Date.parse(day));
    const { outcome } = await timed(gateway.fetchCandles(instrument, recorded.interval, from, to));
    if (typeof recorded.gives === "number") {
      const { candles } = outcome as { candles: Candles };
      expect(candles.time.length).toBe(recorded.gives);
      expect(findInvalidBar(candles)).toBeNull();
    } else if (recorded.gives === "unknown_symbol") expect(outcome).toMatchObject({ code: "symbol_unknown" });
    else expect(gateway.health()[0].lastError).toMatch(new RegExp(`^${recorded.gives}: `));
    await vendor.close();
  });
});

describe("sources that hang", () => {
  it.concurrent("three in a row leave a caller waiting for less than five seconds", async ({ expect }) => {
    const mute = await startVendor();
    mute.answer(() => () => undefined);
    const [row] = VENDORS;
    const providers = ["first", "second", "third"].map((name) => ({ ...row.open(mute.url, now), name }));
    const { outcome, ms } = await timed(ask(gatewayOf(...providers)));
    expect(ms).toBeLessThan(LIMIT_MS);
    expect(outcome).toMatchObject({ code: "provider_unavailable" });
    expect((outcome as AppError).message).toMatch(/first: .*second: .*third: /);
    // Each of them was asked.
    expect(mute.requests.length).toBeGreaterThanOrEqual(3);
    await mute.close();
  });

  it.concurrent("leave the one after them time to answer", async ({ expect }) => {
    const mute = await startVendor();
    mute.answer(() => () => undefined);
    const [row] = VENDORS;
    const providers = ["first", "second"].map((name) => ({ ...row.open(mute.url, now), name }));
    const last = createScriptedProvider({ now, name: "last" });
    const { outcome, ms } = await timed(ask(gatewayOf(...providers, last)));
    expect(ms).toBeLessThan(LIMIT_MS);
    expect(outcome).toMatchObject({ source: "last" });
    await mute.close();
  });
});

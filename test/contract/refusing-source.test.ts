import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { createGateway } from "../../src/providers/gateway.js";
import { silentLog } from "../fixtures/log.js";
import { createScriptedProvider } from "../fixtures/providers.js";
import { startVendor, type Vendor } from "../fixtures/vendor.js";
import { YAHOO } from "../fixtures/vendor-rows/yahoo.js";
import { chartService } from "../fixtures/yahoo.js";

const NOW = Date.parse("2024-07-09T15:00Z");
const now = () => NOW;
const AAPL = ensure(classifySymbol("AAPL"), "AAPL");

let vendor: Vendor;
beforeAll(async () => {
  vendor = await startVendor();
});
afterAll(() => vendor.close());

describe("days", () => {
  it.each([
    ["late", 1],
    ["early", -1],
  ])("that are all a day %s are no days of the exchange", async (word, days) => {
    const shares = createScriptedProvider({ now, intervals: ["1d"] });
    shares.change((bar) => ({ ...bar, time: bar.time + days * 86_400_000 }));
    const gateway = createGateway({
      providers: [shares],
      now,
      log: silentLog,
      metrics: createMetrics("test"),
    });
    const work = gateway.fetchCandles(AAPL, "1d", NOW - 60 * 86_400_000, NOW);
    await expect(work).rejects.toMatchObject({
      message: expect.stringContaining(`all its days are a day ${word}`),
    });
  });
});

describe("a source that says nothing but no", () => {
  it("is not well, until it gives something", async () => {
    const calls: boolean[] = [];
    const gateway = createGateway({
      providers: [YAHOO.open(vendor.url, now)],
      now,
      log: silentLog,
      metrics: createMetrics("test"),
      onCall: ({ ok }) => calls.push(ok),
    });
    let place = 0;
    const ask = () => gateway.fetchCandles(AAPL, "1h", NOW - 8 * 86_400_000 + 1_000 * place++, NOW);
    const refused = async (times: number) => {
      for (let n = 0; n < times; n++)
        await expect(ask()).rejects.toMatchObject({ code: "provider_unavailable" });
    };
    const health = () => gateway.health()[0];
    const error = { code: "Unprocessable Entity", description: "too old" };
    vendor.answer(() => ({ status: 422, body: { chart: { result: null, error } } }));

    await refused(9);
    expect(health()).toMatchObject({ ok: true, failures: 0, lastSuccessAt: null });
    expect(gateway.unserved([AAPL])).toEqual([]);
    await refused(3);
    expect(health()).toMatchObject({ ok: false, failures: 3, failedInRow: 3, requests: 12 });
    expect(health().lastError).toMatch(/^refused: .*too old.* \(as the 12 answers since/);
    expect(gateway.unserved([AAPL])[0]).toMatchObject({ symbols: ["AAPL"] });
    expect(calls).toEqual([...Array(9).fill(true), ...Array(3).fill(false)]);

    vendor.answer(chartService(now, []));
    await ask();
    expect(health()).toMatchObject({ ok: true, failedInRow: 0, lastSuccessAt: NOW });
    expect(gateway.unserved([AAPL])).toEqual([]);
  });
});

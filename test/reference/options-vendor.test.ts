import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { startVendor, type Vendor } from "../fixtures/vendor.js";
import { complete, fileText } from "./option-files.js";

/** 70 minutes before the contracts end. */
const NOW = Date.parse("2024-06-20T08:50:00Z");
const KEY = "NSE_INDEX|Nifty 50";

interface Row {
  readonly strike_price: number;
  readonly call_options: {
    readonly market_data: { readonly oi: number };
    readonly option_greeks: { readonly delta: number };
  };
  readonly put_options: { readonly market_data: { readonly oi: number } };
}

describe.skipIf(!complete)("a program over Upstox's recorded chain of NIFTY on 2024-06-20", () => {
  let vendor: Vendor;
  let program: TestProgram;
  const clock = createManualClock(NOW);
  const rows: readonly Row[] = complete ? JSON.parse(fileText("upstox")).data : [];
  beforeAll(async () => {
    vendor = await startVendor();
    vendor.answer(({ pathname }) => {
      if (pathname.endsWith("/option/chain")) return { body: JSON.parse(fileText("upstox")) };
      if (!pathname.endsWith("/option/contract")) return { status: 404, body: { status: "error" } };
      return { body: { status: "success", data: [{ expiry: "2024-06-20", underlying_key: KEY }] } };
    });
    program = await startTestProgram({
      clock,
      environment: {
        MARKET_DATA: "upstox",
        UPSTOX_BASE_URL: vendor.url,
        UPSTOX_ACCESS_TOKEN: "token-of-a-test",
        OPTION_UNDERLYINGS: "NIFTY",
        SCAN_SYMBOLS: "^NSEI",
      },
    });
  });
  afterAll(async () => {
    await program?.close();
    await vendor?.close();
  });
  const get = async (url: string) => {
    const answer = await program.call(url);
    if (answer.statusCode !== 200) throw new Error(answer.body);
    return answer.json().data;
  };

  it("shows it as fetched, with the vendor's open interest and greeks", async () => {
    const data = await get("/api/options/chain/NIFTY?filter=false");
    expect(data).toMatchObject({
      symbol: "^NSEI",
      source: "upstox",
      loaded: false,
      stale: false,
      trouble: null,
      expiry: "2024-06-20",
      spot: 23_593.5,
      previous_oi_from: "source",
      pricing: { cut_off: "2024-06-20T10:00:00.000Z", cut_off_from: "expiry rules" },
    });
    expect(data.strikes).toHaveLength(rows.length);
    for (const [i, { strike, call, put }] of data.strikes.entries()) {
      expect([strike, call.oi, put.oi]).toEqual([
        rows[i].strike_price,
        rows[i].call_options.market_data.oi,
        rows[i].put_options.market_data.oi,
      ]);
      expect([call.delta, call.greeks_from]).toEqual([rows[i].call_options.option_greeks.delta, "source"]);
    }
    expect(await get("/api/options/expiries/NIFTY?from=2024-06-17&to=2024-06-21")).toMatchObject({
      expiries: [{ date: "2024-06-20" }],
      listed: ["2024-06-20"],
      listed_source: "upstox",
      holidays: ["2024-06-17"],
    });
  });

  it("stores it by its loop, and reads it back as of its time", async () => {
    program.parts.startLoops();
    await expect.poll(() => get("/api/options/snapshots/NIFTY"), { timeout: 20_000 }).toHaveLength(1);
    await program.parts.stopLoops();
    const [stored] = await get("/api/options/snapshots/NIFTY");
    expect(stored).toMatchObject({
      as_of: "2024-06-20T08:50:00.000Z",
      source: "upstox",
      loaded: false,
      legs: 208,
    });
    clock.advance(3_600_000);
    const data = await get(`/api/options/analytics/NIFTY?at=${NOW}`);
    expect(data).toMatchObject({ source: "upstox", loaded: false, selected: { expiry: "2024-06-20" } });
    const puts = rows.reduce((sum, { put_options: { market_data } }) => sum + market_data.oi, 0);
    expect(data.totals.put_oi).toBe(puts);
  });
});

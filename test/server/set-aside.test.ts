import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dateOf, dayOf } from "../../src/core/market/day.js";
import { createManualClock } from "../fixtures/clock.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { startVendor, type Vendor, type VendorAnswer } from "../fixtures/vendor.js";
import { quoteService, UNKNOWN_BODY, yahooAt } from "../fixtures/yahoo.js";

const NOW = Date.parse("2024-07-09T15:00:30Z");
const clock = createManualClock(NOW);

let folder: string;
let vendor: Vendor;
let program: TestProgram;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-aside-"));
  for (const symbol of ["AAPL", "MSFT", "KO"]) writeFileSync(join(folder, `${symbol}.csv`), weekOf2021());
  vendor = await startVendor();
  const environment = {
    MARKET_DATA: "files,yahoo",
    FILES_DIR: folder,
    ...yahooAt(vendor.url),
  };
  program = await startTestProgram({ clock, environment });
});
afterAll(async () => {
  await program.close();
  await vendor.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  clock.advance(3_600_000);
  vendor.answer(answering({ optionChain: { result: [], error: null } }));
});

/** Days that end in March 2021. */
function weekOf2021(): string {
  const first = dayOf("2021-03-22");
  const rows = [0, 1, 2, 3, 4, 7, 8, 9].map((i) => `${dateOf(first + i)},200,202,198,201,1000`);
  return ["date,open,high,low,close,volume", ...rows].join("\n");
}

/** Prices as they should be, and a word on options. */
function answering(options: unknown, unknown: readonly string[] = []) {
  const prices = quoteService(clock.now, unknown);
  return (url: URL): VendorAnswer | Promise<VendorAnswer> =>
    url.pathname.startsWith("/v7/finance/options/") ? { body: options } : prices(url);
}

const candles = async (symbol: string) =>
  (await program.call(`/api/candles/${symbol}?interval=1d&limit=5`)).json();
const quote = async (symbol: string) => (await program.call(`/api/market/${symbol}`)).json().data;

describe("a source that lists no options on a symbol", () => {
  it("is still asked for its candles and quotes", async () => {
    expect(await candles("AAPL")).toMatchObject({ source: "yahoo", trouble: null });
    const answer = await program.call("/api/options/chain/AAPL");
    expectProblem(answer, "no_data", "AAPL has no listed options");
    expect(answer.body).not.toContain("knows");
    clock.advance(60_000);
    expect(await candles("AAPL")).toMatchObject({ source: "yahoo", trouble: null });
    expect(await quote("AAPL")).toMatchObject({ source: "yahoo", stale: false, trouble: null });
  });

  it("does not know it for that kind of question alone", async () => {
    vendor.answer((url) =>
      url.pathname.startsWith("/v7/finance/options/")
        ? { status: 404, body: UNKNOWN_BODY }
        : quoteService(clock.now)(url),
    );
    const answer = await program.call("/api/options/chain/MSFT");
    expectProblem(answer, "options_unavailable", "No configured source lists options on MSFT");
    expect(await candles("MSFT")).toMatchObject({ source: "yahoo", trouble: null });
    expect(await quote("MSFT")).toMatchObject({ source: "yahoo", trouble: null });
  });
});

describe("a source that does not know a symbol", () => {
  it("is stood in for by one that says so, for ten minutes", async () => {
    vendor.answer(answering({}, ["KO"]));
    const trouble = expect.stringContaining("yahoo: ");
    for (let i = 0; i < 2; i++) {
      expect(await candles("KO")).toMatchObject({ source: "files", stale: true, trouble });
      expect(await quote("KO")).toMatchObject({ source: "files", stale: true, trouble });
      clock.advance(60_000);
    }
    vendor.answer(answering({}));
    clock.advance(600_000);
    expect(await candles("KO")).toMatchObject({ source: "yahoo", trouble: null });
    expect(await quote("KO")).toMatchObject({ source: "yahoo", trouble: null });
  });
});

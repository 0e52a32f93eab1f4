import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { dayOf } from "../../src/core/market/day.js";
import { createVendorChecker } from "../fixtures/alpaca-spec.js";
import { writeMarketFiles } from "../fixtures/candle-files.js";
import { createManualClock } from "../fixtures/clock.js";
import { modelChain, recordedBody } from "../fixtures/options.js";
import { plainService } from "../fixtures/plain-yahoo.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { startVendor, type Vendor } from "../fixtures/vendor.js";
import { yahooAt } from "../fixtures/yahoo.js";

const check = createVendorChecker();
/** A Friday, an hour and a half after the open of New York. */
const clock = createManualClock(Date.parse("2024-01-05T16:00:00Z"));
const folder = mkdtempSync(join(tmpdir(), "tx-alpaca-"));

let vendor: Vendor;
let program: TestProgram;
beforeAll(async () => {
  const FILES_DIR = writeMarketFiles(folder);
  vendor = await startVendor();
  vendor.answer(plainService(clock.now));
  const environment = { MARKET_DATA: "files,yahoo", FILES_DIR, ...yahooAt(vendor.url) };
  program = await startTestProgram({ clock, environment });
  // Files are read for the first time.
  for (const symbol of ["AAPL?interval=1d", "BTC-USD?interval=5m", "BTC-USD?interval=1h"])
    await vi.waitFor(
      async () => expect((await program.call(`/api/candles/${symbol}`)).statusCode).toBe(200),
      20_000,
    );
});
afterAll(async () => {
  await program.close();
  await vendor.close();
  rmSync(folder, { recursive: true, force: true });
});

async function body(url: string) {
  const answer = await program.call(url);
  expect(check?.(url.split("?")[0] ?? "", answer.statusCode, answer.json()) ?? [], url).toEqual([]);
  expect(answer.headers["x-synthetic"]).toBeUndefined();
  return answer.json();
}

interface Row {
  readonly time: number;
  readonly prices: readonly number[];
  readonly volume: number;
}

/** Rows of a file as they are written. */
function rowsOf(name: string): Row[] {
  const [, ...lines] = readFileSync(join(folder, name), "utf8").trim().split("\n");
  return lines.map((line) => {
    const [time = "", ...values] = line.split(",");
    const numbers = values.map(Number);
    return { time: Date.parse(time), prices: numbers.slice(0, 4), volume: numbers[4] };
  });
}

interface Wire {
  readonly t: string;
  readonly o: number;
  readonly h: number;
  readonly l: number;
  readonly c: number;
  readonly v: number;
}

describe("bars of files", () => {
  it("are what is written there, days at midnight of New York and volumes in whole shares", async () => {
    const url = "/v2/stocks/AAPL/bars?timeframe=1Day&start=2023-03-01&end=2023-03-31&limit=10000";
    const { bars } = (await body(url)) as { bars: Wire[] };
    const rows = rowsOf("AAPL-1d.csv").filter(({ time }) =>
      new Date(time).toISOString().startsWith("2023-03"),
    );
    expect(rows.length).toBe(23);
    expect(bars.map(({ t }) => t.slice(0, 10))).toEqual(
      rows.map(({ time }) => new Date(time).toISOString().slice(0, 10)),
    );
    // Clocks change on the 12th.
    expect([bars[0].t.slice(11), bars.at(-1)?.t.slice(11)]).toEqual(["05:00:00Z", "04:00:00Z"]);
    expect(bars.map(({ o, h, l, c }) => [o, h, l, c])).toEqual(rows.map(({ prices }) => prices));
    expect(bars.map(({ v }) => v)).toEqual(rows.map(({ volume }) => Math.round(volume)));
  });

  it("of coins make longer ones, in the day of UTC", async () => {
    const rows = rowsOf("BTC-USD-5m.csv");
    for (const [frame, ms] of [
      ["5Min", 300_000],
      ["15Min", 900_000],
      ["1Hour", 3_600_000],
      ["6Hour", 21_600_000],
    ] as const) {
      const url = `/v1beta3/crypto/us/bars?symbols=BTC%2FUSD&timeframe=${frame}&start=2024-01-02&end=2024-01-03`;
      const bars = (await body(`${url}&limit=10000`)).bars["BTC/USD"] as Wire[];
      const from = Date.parse("2024-01-02");
      expect(bars, frame).toHaveLength((2 * 86_400_000) / ms);
      for (const [i, bar] of bars.entries()) {
        const own = rows.filter(({ time }) => time >= from + i * ms && time < from + (i + 1) * ms);
        const last = ensure(own.at(-1), "a row");
        expect(Date.parse(bar.t)).toBe(from + i * ms);
        expect([bar.o, bar.h, bar.l, bar.c]).toEqual([
          own[0].prices[0],
          Math.max(...own.map(({ prices }) => prices[1])),
          Math.min(...own.map(({ prices }) => prices[2])),
          last.prices[3],
        ]);
        expect(bar.v).toBeCloseTo(
          own.reduce((sum, { volume }) => sum + volume, 0),
          6,
        );
      }
    }
  });

  it("that there are none of are told of with what there is", async () => {
    const answer = await program.call("/v2/stocks/bars?symbols=MSFT,AAPL&timeframe=1Day&start=2024-01-02");
    expect(Object.keys(answer.json().bars)).toContain("AAPL");
    const none = await program.call("/v2/stocks/AAPL/bars?timeframe=7Min&start=2001-01-02&end=2001-02-02");
    expect(none.json()).toMatchObject({ bars: [], next_page_token: null });
  });
});

describe("contracts", () => {
  const EXPIRIES = ["2024-01-05", "2024-01-12", "2024-02-16"];
  beforeAll(async () => {
    const time = Date.parse("2024-01-04T20:00:00Z");
    const chain = modelChain({
      underlying: "AAPL",
      time,
      spot: 200,
      volatility: 0.2,
      expiries: EXPIRIES.map(dayOf),
    });
    const payload = recordedBody(chain);
    await program.call({ method: "POST", url: "/api/options/snapshots", payload });
  });
  const list = async (query: string) => body(`/v2/options/contracts?underlying_symbols=AAPL${query}`);

  it("that expire by the weekend are told of unless more is asked for", async () => {
    const { option_contracts: contracts } = await list("");
    expect(contracts).toHaveLength(18);
    expect(contracts[0]).toEqual({
      id: expect.any(String),
      symbol: "AAPL240105C00160000",
      name: "AAPL Jan 05 2024 160 Call",
      status: "active",
      tradable: false,
      expiration_date: "2024-01-05",
      root_symbol: "AAPL",
      underlying_symbol: "AAPL",
      underlying_asset_id: (await body("/v2/assets/AAPL")).id,
      type: "call",
      style: "american",
      strike_price: "160",
      multiplier: "100",
      size: "100",
      open_interest: "100",
      open_interest_date: "2024-01-04",
    });
  });

  it("come in pages, filtered", async () => {
    const query = "&expiration_date_lte=2024-12-31&type=put&strike_price_gte=190&strike_price_lte=210";
    const symbols: string[] = [];
    let token: string | null = "";
    while (token !== null) {
      const after: string = token === "" ? "" : `&page_token=${token}`;
      const page: { option_contracts: { symbol: string }[]; next_page_token: string | null } = await list(
        `${query}&limit=4${after}`,
      );
      symbols.push(...page.option_contracts.map(({ symbol }) => symbol));
      token = page.next_page_token;
    }
    const strikes = ["00190000", "00200000", "00210000"];
    expect(symbols).toEqual(
      ["240105", "240112", "240216"].flatMap((day) => strikes.map((strike) => `AAPL${day}P${strike}`)),
    );
    expect((await list("&expiration_date=2024-01-13")).option_contracts).toEqual([]);
    expect((await list("&expiration_date=2023-12-29")).option_contracts).toEqual([]);
  });

  it("are found by their symbol", async () => {
    const found = await body("/v2/options/contracts/AAPL240216P00190000");
    expect(found).toMatchObject({ type: "put", strike_price: "190", expiration_date: "2024-02-16" });
    const answer = await program.call("/v2/options/contracts/AAPL240216P00191000");
    expect(answer.json()).toEqual({
      code: 40410000,
      message: "option contract AAPL240216P00191000 not found",
    });
  });
});

describe("news", () => {
  beforeAll(async () => {
    const { news } = program.parts;
    const feed = ensure(
      news.feeds.list.find(({ kind }) => kind === "news"),
      "a feed of news",
    );
    const item = (n: number, title: string, symbols: readonly string[]) => ({
      id: String(n),
      publisher: "The Paper",
      title,
      summary: `What happened, part ${n}`,
      url: `https://news.example.com/${n}`,
      publishedMs: Date.parse("2024-01-05T10:00:00Z") + 60_000 * n,
      symbols,
    });
    const titles = [
      "Apple opens a shop",
      "Microsoft closes a deal",
      "Bitcoin moves again",
      "Apple closes the shop",
    ];
    const symbols = [["AAPL"], ["MSFT"], ["BTC-USD"], ["AAPL", "MSFT"]];
    await news.record(
      feed,
      titles.map((title, n) => item(n, title, symbols[n])),
      null,
    );
  });
  const headlines = async (query: string) =>
    (await body(`/v1beta1/news${query}`)).news.map(({ headline }: { headline: string }) => headline);

  it("come newest first or oldest first, of a stretch, of symbols", async () => {
    const all = await headlines("");
    expect(all).toEqual([
      "Apple closes the shop",
      "Bitcoin moves again",
      "Microsoft closes a deal",
      "Apple opens a shop",
    ]);
    expect(await headlines("?sort=asc")).toEqual([...all].reverse());
    expect(await headlines("?symbols=MSFT,BTCUSD")).toEqual(all.slice(0, 3));
    expect(await headlines("?start=2024-01-05T10:01:00Z&end=2024-01-05T10:02:00Z")).toEqual(all.slice(1, 3));
    expect(await headlines("?start=2024-01-06")).toEqual([]);
    expect(await headlines("?exclude_contentless=true")).toEqual([]);
    const { news } = await body("/v1beta1/news?symbols=BTC/USD");
    expect(news).toMatchObject([
      { symbols: ["BTCUSD"], source: "The Paper", author: "", content: "", images: [] },
    ]);
  });

  it.each(["asc", "desc"])("come in pages that are the whole, %s", async (sort) => {
    const found: unknown[] = [];
    let token: string | null = "";
    while (token !== null) {
      const after: string = token === "" ? "" : `&page_token=${token}`;
      const page: { news: unknown[]; next_page_token: string | null } = await body(
        `/v1beta1/news?limit=3&sort=${sort}${after}`,
      );
      found.push(...page.news);
      token = page.next_page_token;
    }
    expect(found).toEqual((await body(`/v1beta1/news?sort=${sort}`)).news);
    const odd = await program.call("/v1beta1/news?page_token=eA");
    expect(odd.json()).toEqual({ code: 40010001, message: "invalid page_token" });
  });
});

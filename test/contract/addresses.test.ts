import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import { readConfig } from "../../src/platform/config.js";
import { addressAt, pathAt } from "../../src/providers/address.js";
import type { Provider } from "../../src/providers/define.js";
import { createProviders, vendorClient } from "../../src/providers/index.js";
import { createStreams } from "../../src/providers/streams.js";
import { silentLog } from "../fixtures/log.js";
import { startVendor, type Vendor } from "../fixtures/vendor.js";
import { createTestWorkers } from "../fixtures/workers.js";
import { CRUMB } from "../fixtures/yahoo.js";

const NOW = Date.parse("2024-07-09T15:00:30Z");
const now = () => NOW;
const never = () => new AbortController().signal;
const VENDORS = ["yahoo", "tradier", "upstox", "polygon", "finnhub", "alphavantage"] as const;

const workers = createTestWorkers();
let vendor: Vendor;
beforeAll(async () => {
  vendor = await startVendor();
  vendor.answer((url) => {
    if (url.pathname === "/cookie") return { status: 404, headers: { "set-cookie": "A3=d; Path=/" } };
    return url.pathname.endsWith("/getcrumb") ? { body: CRUMB } : { status: 404, body: {} };
  });
});
afterAll(async () => {
  await vendor.close();
  await workers.close();
});

/** With addresses that have a path of their own, with and without a stroke at the end. */
const configAt = (base: string) =>
  readConfig({
    MARKET_DATA: VENDORS.join(","),
    YAHOO_BASE_URL: base,
    YAHOO_COOKIE_URL: `${vendor.url}/cookie`,
    YAHOO_FEED_URL: base,
    TRADIER_BASE_URL: base,
    TRADIER_ACCESS_TOKEN: "key-of-nobody",
    UPSTOX_BASE_URL: base,
    UPSTOX_ACCESS_TOKEN: "key-of-nobody",
    POLYGON_BASE_URL: base,
    POLYGON_API_KEY: "key-of-nobody",
    FINNHUB_BASE_URL: base,
    FINNHUB_API_KEY: "key-of-nobody",
    ALPHAVANTAGE_BASE_URL: base,
    ALPHAVANTAGE_API_KEY: "key-of-nobody",
    STREAM_SOURCES: "finnhub,polygon,upstox",
    POLYGON_STREAM_URL: base.replace("http", "ws"),
    FINNHUB_STREAM_URL: base.replace("http", "ws"),
  });

/** Everything that a source may be asked for. */
async function askAll(provider: Provider): Promise<void> {
  for (const symbol of ["AAPL", "RELIANCE.NS"]) {
    const instrument = ensure(classifySymbol(symbol), symbol);
    const stretch = { fromMs: NOW - 5 * 86_400_000, toMs: NOW };
    const intervals = provider.intervals(instrument);
    await Promise.allSettled([
      ...intervals.map((interval) => provider.fetchCandles({ instrument, interval, ...stretch }, never())),
      provider.fetchQuote(instrument, never()),
      provider.fetchActions?.(instrument, 19_000, 19_900, never()),
      provider.options?.fetchExpiries(instrument, never()),
      provider.options?.fetchChain(instrument, 19_920, never()),
      provider.news?.fetchNews({ instrument, ...stretch }, never()),
    ]);
  }
  await Promise.allSettled([
    provider.search?.("apple", never()),
    provider.fetchStatus?.(never()),
    provider.probe(never()),
  ]);
}

describe("a configured address with a path", () => {
  it.each(["/own/path", "/own/path/"])("%s is below which all vendors are asked", async (path) => {
    const config = configAt(`${vendor.url}${path}`);
    const providers = await createProviders({ config, workers, now, log: silentLog, replay: null });
    expect(providers.map(({ name }) => name)).toEqual(VENDORS);
    for (const provider of providers) {
      vendor.requests.length = 0;
      await askAll(provider);
      const paths = vendor.requests.map(({ pathname }) => pathname).filter((each) => each !== "/cookie");
      expect(paths.length, provider.name).toBeGreaterThan(0);
      expect(
        paths.filter((each) => !/^\/own\/path\/[^/]/.test(each)),
        provider.name,
      ).toEqual([]);
    }
  });

  it("is below which streams are connected to", async () => {
    const streams = createStreams(configAt(`${vendor.url}/own/path`), vendorClient(), now);
    vendor.requests.length = 0;
    const addresses = await Promise.allSettled(streams.map((stream) => stream.address(never())));
    const told = addresses.flatMap((each) =>
      each.status === "fulfilled" ? [new URL(each.value).pathname] : [],
    );
    expect(told).toEqual(["/own/path", "/own/path/stocks", "/own/path/crypto"]);
    expect(vendor.requests.map(({ pathname }) => pathname)).toEqual([
      "/own/path/v3/feed/market-data-feed/authorize",
    ]);
  });

  it.each([
    ["https://a.example", "/v1/x", "https://a.example/v1/x"],
    ["https://a.example/", "/v1/x", "https://a.example/v1/x"],
    ["https://a.example/b/c/", "/v1/x%2Fy", "https://a.example/b/c/v1/x%2Fy"],
    ["https://a.example/b?k=1", "/v1", "https://a.example/b/v1?k=1"],
    ["https://a.example/b", "//evil.example/v1", "https://a.example/b//evil.example/v1"],
    ["https://a.example/b", "/x?y=1#z", "https://a.example/b/x%3Fy=1%23z"],
  ])("%s with %s is %s", (base, path, address) => {
    expect(addressAt(base, path).href).toBe(address);
  });

  it("is taken off the next page of an answer, where it stands in it", () => {
    const page = (text: string) => pathAt("https://a.example/b", new URL(text));
    expect(page("https://a.example/b/v2/next")).toBe("/v2/next");
    expect(page("https://api.vendor.example/v2/next")).toBe("/v2/next");
    expect(page("https://a.example/bc/next")).toBe("/bc/next");
  });
});

import { afterAll, beforeAll, expect, it } from "vitest";
import { readConfig } from "../../src/platform/config.js";
import { createProviders } from "../../src/providers/index.js";
import { type AskedVendor, openAskedVendor } from "../fixtures/asked-vendor.js";
import { silentLog } from "../fixtures/log.js";
import { at, KEY } from "../fixtures/vendor-answers.js";
import { createTestWorkers } from "../fixtures/workers.js";

const workers = createTestWorkers();
const vendors = new Map<string, AskedVendor>();
beforeAll(async () => {
  for (const name of ["polygon", "finnhub", "alphavantage"]) vendors.set(name, await openAskedVendor(name));
});
afterAll(async () => {
  for (const vendor of vendors.values()) await vendor.close();
  await workers.close();
});

const urlOf = (name: string) => vendors.get(name)?.url ?? "";
const open = (environment: Record<string, string>) =>
  createProviders({
    config: readConfig({
      MARKET_DATA: "finnhub,alphavantage,polygon",
      POLYGON_API_KEY: KEY,
      FINNHUB_API_KEY: KEY,
      ALPHAVANTAGE_API_KEY: KEY,
      POLYGON_BASE_URL: urlOf("polygon"),
      FINNHUB_BASE_URL: urlOf("finnhub"),
      ALPHAVANTAGE_BASE_URL: urlOf("alphavantage"),
      ...environment,
    }),
    workers,
    now: () => at("2024-07-09T15:00Z"),
    log: silentLog,
    replay: null,
  });

it("vendors are asked at the configured addresses with the configured keys, in the configured order", async () => {
  vendors.get("polygon")?.serve(() => "status-weekend");
  vendors.get("finnhub")?.serve(() => "status-open");
  vendors.get("alphavantage")?.serve(() => "quote-of-another");
  const providers = await open({});
  expect(providers.map(({ name }) => name)).toEqual(["finnhub", "alphavantage", "polygon"]);
  const probes = providers.map((provider) => provider.probe(new AbortController().signal));
  expect((await Promise.allSettled(probes)).map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  expect(vendors.get("polygon")?.headers[0]).toMatchObject({ authorization: `Bearer ${KEY}` });
  expect(vendors.get("finnhub")?.headers[0]).toMatchObject({ "x-finnhub-token": KEY });
  expect(vendors.get("alphavantage")?.requests[0].searchParams.get("apikey")).toBe(KEY);
});

it("plans are free ones unless the configuration says otherwise, and 0 is no limit", async () => {
  const plans = async (environment: Record<string, string>) =>
    (await open(environment)).map(({ quota }) => quota);
  expect(await plans({})).toEqual([
    { perMinute: 60, perDay: null },
    { perMinute: 5, perDay: 25 },
    { perMinute: 5, perDay: null },
  ]);
  const paid = {
    FINNHUB_CALLS_PER_MINUTE: "300",
    ALPHAVANTAGE_CALLS_PER_MINUTE: "75",
    ALPHAVANTAGE_CALLS_PER_DAY: "0",
    POLYGON_CALLS_PER_MINUTE: "0",
  };
  expect(await plans(paid)).toEqual([
    { perMinute: 300, perDay: null },
    { perMinute: 75, perDay: null },
    { perMinute: null, perDay: null },
  ]);
});

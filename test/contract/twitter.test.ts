import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import { createHttpClient } from "../../src/platform/http-client.js";
import { ProviderError } from "../../src/providers/define.js";
import { createTwitterNews, type TwitterNews } from "../../src/providers/twitter.js";
import { idTime, parseSearch, rateLimitOf, searchRequest } from "../../src/providers/twitter-search.js";
import { answerFiles, answerOf, recordedAnswer } from "../fixtures/answers.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { sharedPath } from "../fixtures/shared.js";
import { startVendor, type Vendor } from "../fixtures/vendor.js";

const NOW = Date.parse("2024-07-09T08:10:00Z");
const DAY = 86_400_000;
const files = answerFiles("twitter");
const good = files.filter(({ failure }) => failure === null);
const bad = files.filter(({ failure }) => failure !== null);
const fileOf = (name: string) =>
  ensure(
    good.find((file) => file.name === name),
    name,
  ).answer;
const apple = ensure(classifySymbol("AAPL"), "AAPL");

function failureOf(read: () => unknown): ProviderError {
  try {
    read();
  } catch (error) {
    if (error instanceof ProviderError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

describe("requests", () => {
  it.each([
    ["AAPL", '($AAPL OR ("Apple" (stock OR shares OR price OR market))) lang:en -is:retweet'],
    ["EURUSD=X", '(("EUR/USD" (stock OR shares OR price OR market))) lang:en -is:retweet'],
    ["^VIX", '("VIX" OR ("CBOE Volatility Index" (stock OR shares OR price OR market))) lang:en -is:retweet'],
    ["F", "($F) lang:en -is:retweet"],
  ])("about %s carry the token in the header alone", (symbol, query) => {
    const instrument = ensure(classifySymbol(symbol), symbol);
    const { url, headers } = searchRequest("https://h/", "AAA%2F", instrument, {
      fromMs: NOW - DAY,
      nowMs: NOW,
    });
    const { pathname, searchParams } = new URL(url);
    expect(pathname).toBe("/2/tweets/search/recent");
    expect(Object.fromEntries(searchParams)).toEqual({
      query,
      max_results: "100",
      "tweet.fields": "created_at",
      start_time: "2024-07-08T08:10:00Z",
    });
    expect(headers).toEqual({ authorization: "Bearer AAA%2F" });
  });

  it("reach no further back than the service", () => {
    const { url } = searchRequest("https://h", "t", apple, { fromMs: NOW - 30 * DAY, nowMs: NOW });
    expect(new URL(url).searchParams.get("start_time")).toBe("2024-07-02T08:11:00Z");
  });
});

describe("answers", () => {
  it("are at least ten bad ones", () => expect(bad.length).toBeGreaterThanOrEqual(10));

  it.each(bad)("of bad kinds fail as they should: $name, $about", ({ answer, failure, retryAfterMs }) => {
    const error = failureOf(() => parseSearch(answer, NOW));
    expect({ failure: error.failure, retryAfterMs: error.retryAfterMs }).toEqual({ failure, retryAfterMs });
  });

  it("give the posts with their times, by their ids where they have none", () => {
    expect(parseSearch(fileOf("posts"), NOW)).toEqual([
      {
        id: "1810588800000000001",
        publisher: "X",
        title: "$ACME up 4% after earnings beat",
        summary: "",
        url: "https://x.com/i/status/1810588800000000001",
        publishedMs: Date.parse("2024-07-09T08:00:00Z"),
        symbols: [],
      },
      expect.objectContaining({ title: "$ACME to the moon", publishedMs: idTime("1578522108187283456") }),
    ]);
    expect(parseSearch(fileOf("none"), NOW)).toEqual([]);
    expect(parseSearch(fileOf("partial"), NOW)).toHaveLength(1);
  });

  it("tell the limit, and nothing where they are silent or talk nonsense", () => {
    expect(rateLimitOf(fileOf("posts"))).toEqual({ limit: 450, remaining: 449, resetMs: 1_720_512_900_000 });
    const nothing = { limit: null, remaining: null, resetMs: null };
    expect(rateLimitOf(answerOf(200, {}, ""))).toEqual(nothing);
    const odd = {
      "x-rate-limit-limit": "many",
      "x-rate-limit-remaining": "-1",
      "x-rate-limit-reset": "1e99",
    };
    expect(rateLimitOf(answerOf(200, odd, ""))).toEqual(nothing);
  });

  it.skipIf(sharedPath("data", "api-fixtures") === null)("that were recorded are read", () => {
    const read = (name: string) => ensure(recordedAnswer("twitter", name), name);
    const items = parseSearch(read("search-recent"), NOW);
    expect(items).toHaveLength(10);
    // These posts say themselves when they were made.
    const dated = items.flatMap(({ title, publishedMs }) => {
      const said = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\.\d+ tweepy$/.exec(title);
      return said === null ? [] : [Math.abs(publishedMs - Date.parse(`${said[1]}T${said[2]}Z`))];
    });
    expect(dated.length).toBeGreaterThanOrEqual(7);
    expect(Math.max(...dated)).toBeLessThan(5_000);
    expect(parseSearch(read("empty"), NOW)).toEqual([]);
    expect(failureOf(() => parseSearch(read("error-401"), NOW)).failure).toBe("unauthorized");
    const limited = failureOf(() => parseSearch(read("error-429"), 1_665_185_000_000));
    expect(limited).toMatchObject({ failure: "rate_limited", retryAfterMs: 262_000 });
  });
});

describe("the source", () => {
  let service: Vendor;
  let clock: ManualClock;
  let source: TwitterNews;

  beforeEach(async () => {
    clock = createManualClock(NOW);
    service = await startVendor();
    source = createTwitterNews({
      baseUrl: service.url,
      token: "t0k",
      http: createHttpClient({ timeoutMs: 2_000, limitBytes: 1e6, userAgent: "test" }),
      now: clock.now,
    });
  });
  afterEach(() => service.close());

  const fetchNews = (fromMs = NOW - DAY) =>
    source.fetchNews({ instrument: apple, fromMs, toMs: NOW }, new AbortController().signal);
  const answer = (remaining: string) => ({
    headers: {
      "x-rate-limit-limit": "450",
      "x-rate-limit-remaining": remaining,
      "x-rate-limit-reset": "1720512900",
    },
    body: JSON.parse(fileOf("posts").text) as unknown,
  });

  it("keeps what the last answer said, and leaves out posts of other times", async () => {
    expect(source.state()).toEqual({ status: null, atMs: null, limit: null, remaining: null, resetMs: null });
    service.answer(() => answer("449"));
    expect((await fetchNews()).map(({ id }) => id)).toEqual(["1810588800000000001"]);
    expect(source.state()).toEqual({
      status: 200,
      atMs: NOW,
      limit: 450,
      remaining: 449,
      resetMs: 1_720_512_900_000,
    });
    service.answer(() => ({ status: 401, body: { title: "Unauthorized" } }));
    await expect(fetchNews()).rejects.toMatchObject({ failure: "unauthorized" });
    expect(source.state()).toMatchObject({ status: 401, remaining: null });
  });

  it("asks nothing while no request is left", async () => {
    service.answer(() => answer("0"));
    await fetchNews();
    await expect(fetchNews()).rejects.toMatchObject({ failure: "rate_limited", retryAfterMs: 300_000 });
    expect(service.requests).toHaveLength(1);
    clock.advance(300_000);
    await fetchNews();
    expect(service.requests).toHaveLength(2);
  });
});

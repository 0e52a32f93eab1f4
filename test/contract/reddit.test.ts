import { createServer } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import { createHttpClient } from "../../src/platform/http-client.js";
import { type NewsSource, ProviderError, type ProviderFailure } from "../../src/providers/define.js";
import { createRedditNews } from "../../src/providers/reddit.js";
import { parseSearch, parseToken, searchRequest, tokenRequest } from "../../src/providers/reddit-search.js";
import { answerFiles, answerOf, recordedAnswer } from "../fixtures/answers.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { sharedPath } from "../fixtures/shared.js";
import { startVendor, type Vendor } from "../fixtures/vendor.js";

const NOW = Date.parse("2024-07-09T08:10:00Z");
const HOUR = 3_600_000;
const apple = ensure(classifySymbol("AAPL"), "AAPL");
const files = answerFiles("reddit");
const good = files.filter(({ failure }) => failure === null);
const bad = files.filter(({ failure }) => failure !== null);
const JSON_TYPE = { "content-type": "application/json" };

/** How reading fails. */
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
  it("for a token carry the credentials in the header alone", () => {
    const request = tokenRequest("https://h/token", { clientId: "id", clientSecret: "s:cret" });
    expect(request).toEqual({
      url: "https://h/token",
      headers: {
        authorization: `Basic ${Buffer.from("id:s:cret").toString("base64")}`,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: "grant_type=client_credentials",
    });
  });

  it.each([
    ["AAPL", '"$AAPL" OR "AAPL" OR "Apple"'],
    ["BTC-USD", '"$BTC" OR "BTC" OR "Bitcoin"'],
    ["TCS.NS", '"$TCS" OR "TCS"'],
    ["F", '"$F"'],
    ["EURUSD=X", '"EUR/USD"'],
    ["^VIX", '"VIX" OR "CBOE Volatility Index"'],
  ])("for posts about %s ask for %s", (symbol, words) => {
    const instrument = ensure(classifySymbol(symbol), symbol);
    const { url, headers } = searchRequest("https://h/", "t0k", instrument, {
      fromMs: NOW - 2 * HOUR,
      nowMs: NOW,
    });
    const { pathname, searchParams } = new URL(url);
    expect(pathname).toMatch(/^\/r\/[\w+]+\/search$/);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      sort: "new",
      t: "day",
      limit: "100",
      raw_json: "1",
    });
    expect(searchParams.get("q")).toBe(words);
    expect(headers).toEqual({ authorization: "Bearer t0k" });
  });
});

describe("answers", () => {
  it("are at least ten bad ones and some good ones", () => {
    expect(bad.length).toBeGreaterThanOrEqual(10);
    expect(good.length).toBeGreaterThanOrEqual(2);
  });

  it.each(bad)("of bad kinds fail as they should: $name, $about", ({ answer, failure, retryAfterMs }) => {
    const error = failureOf(() => parseSearch(answer, NOW));
    expect({ failure: error.failure, retryAfterMs: error.retryAfterMs }).toEqual({ failure, retryAfterMs });
    expect(error.message).not.toMatch(/pardner|http/i);
  });

  it("give the posts and leave out what is none", () => {
    const posts = ensure(
      good.find(({ name }) => name === "posts"),
      "posts",
    );
    expect(parseSearch(posts.answer, NOW)).toEqual([
      {
        id: "t3_aa1",
        publisher: "r/stocks",
        title: "$ACME beats estimates, raises guidance",
        summary: "Thoughts?",
        url: "https://www.reddit.com/r/stocks/comments/aa1/x/",
        publishedMs: 1_720_512_000_000,
        symbols: [],
      },
      expect.objectContaining({ id: "t3_aa2", summary: "" }),
      expect.objectContaining({ id: "t3_aa3", publisher: "r/wallstreetbets", summary: "" }),
    ]);
    expect(
      parseSearch(
        ensure(
          good.find(({ name }) => name === "none"),
          "none",
        ).answer,
        NOW,
      ),
    ).toEqual([]);
  });

  it.skipIf(sharedPath("data", "api-fixtures") === null)("that were recorded are read", () => {
    const read = (name: string) => ensure(recordedAnswer("reddit", name), name);
    const items = parseSearch(read("search"), NOW);
    expect(items).toHaveLength(6);
    for (const item of items) {
      expect(item).toMatchObject({
        id: expect.stringMatching(/^t3_\w+$/),
        title: expect.stringMatching(/\S/),
      });
      expect(new URL(item.url).hostname).toBe("www.reddit.com");
      expect(new Date(item.publishedMs).getUTCFullYear()).toBeGreaterThan(2008);
    }
    expect(parseSearch(read("empty"), NOW)).toEqual([]);
    expect(failureOf(() => parseSearch(read("error-429"), NOW))).toMatchObject({
      failure: "rate_limited",
      retryAfterMs: 300_000,
    });
    expect(failureOf(() => parseSearch(read("error-403-html-block"), NOW)).failure).toBe("unauthorized");
  });
});

describe("tokens", () => {
  const token = { access_token: "eyJ.a-b_c", token_type: "bearer", expires_in: 86_400, scope: "*" };

  it("last as long as they say", () => {
    expect(parseToken(answerOf(200, JSON_TYPE, token), NOW)).toEqual({
      token: "eyJ.a-b_c",
      expiresMs: NOW + 86_400_000,
    });
  });

  const cases: [string, number, unknown, ProviderFailure][] = [
    ["wrong credentials", 401, { message: "Unauthorized", error: 401 }, "unauthorized"],
    ["an error under 200", 200, { error: "unsupported_grant_type" }, "unauthorized"],
    ["a blocked network", 403, "<h1>whoa there</h1>", "unauthorized"],
    ["too many requests", 429, { message: "Too Many Requests", error: 429 }, "rate_limited"],
    ["a failing service", 502, "Bad Gateway", "unavailable"],
    ["no token", 200, { ...token, access_token: undefined }, "bad_payload"],
    ["a token with line ends", 200, { ...token, access_token: "a\r\nx: y" }, "bad_payload"],
    ["a time as text", 200, { ...token, expires_in: "86400" }, "bad_payload"],
    ["no time", 200, { ...token, expires_in: 0 }, "bad_payload"],
    ["another type", 200, { ...token, token_type: "mac" }, "bad_payload"],
    ["a page", 200, "<html></html>", "bad_payload"],
    ["another status", 404, token, "bad_payload"],
  ];
  it.each(cases)("are refused for %s", (_, status, body, failure) => {
    expect(failureOf(() => parseToken(answerOf(status, JSON_TYPE, body), NOW)).failure).toBe(failure);
  });
});

describe("the source", () => {
  let service: Vendor;
  let tokens: { url: string; calls: { authorization: string; body: string }[]; close(): Promise<void> };
  let clock: ManualClock;
  let source: NewsSource;
  const listing = ensure(
    good.find(({ name }) => name === "posts"),
    "posts",
  ).answer.text;

  beforeEach(async () => {
    clock = createManualClock(NOW);
    service = await startVendor();
    tokens = await startTokens();
    source = createRedditNews({
      baseUrl: service.url,
      authUrl: tokens.url,
      credentials: { clientId: "id", clientSecret: "secret" },
      http: createHttpClient({ timeoutMs: 2_000, limitBytes: 1e6, userAgent: "test" }),
      now: clock.now,
    });
    service.answer(() => ({ body: listing }));
  });
  afterEach(() => Promise.all([service.close(), tokens.close()]));

  const fetchNews = (fromMs = 0, toMs = NOW) =>
    source.fetchNews({ instrument: apple, fromMs, toMs }, new AbortController().signal);

  it("fetches one token for callers at one time, and keeps it", async () => {
    await Promise.all([fetchNews(), fetchNews(), fetchNews()]);
    await fetchNews();
    expect(service.requests).toHaveLength(4);
    expect(tokens.calls).toEqual([
      {
        authorization: `Basic ${Buffer.from("id:secret").toString("base64")}`,
        body: "grant_type=client_credentials",
      },
    ]);
  });

  it("renews the token a minute before its end", async () => {
    await fetchNews();
    clock.advance(3_600_000 - 61_000);
    await fetchNews();
    expect(tokens.calls).toHaveLength(1);
    clock.advance(2_000);
    await fetchNews();
    expect(tokens.calls).toHaveLength(2);
  });

  it("renews a token that is refused once, and gives up when the new one is refused too", async () => {
    await fetchNews();
    service.answer((_, nth) => (nth === 0 ? { status: 401, body: { error: 401 } } : { body: listing }));
    expect(await fetchNews()).toHaveLength(3);
    expect(tokens.calls).toHaveLength(2);
    service.answer(() => ({ status: 401, body: { error: 401 } }));
    await expect(fetchNews()).rejects.toMatchObject({ failure: "unauthorized" });
    expect(service.requests).toHaveLength(5);
  });

  it("leaves out posts of other times, and asks nothing about markets at large", async () => {
    expect((await fetchNews(1_720_508_400_000, 1_720_512_000_000)).map(({ id }) => id)).toEqual(["t3_aa2"]);
    const all = { instrument: null, fromMs: 0, toMs: NOW };
    expect(await source.fetchNews(all, new AbortController().signal)).toEqual([]);
    expect(service.requests).toHaveLength(1);
  });

  it("does not follow redirects with its token", async () => {
    service.answer(() => ({ status: 302, headers: { location: "http://127.0.0.1:1/" } }));
    await expect(fetchNews()).rejects.toMatchObject({ failure: "bad_payload" });
  });

  /** Gives tokens of an hour. */
  async function startTokens() {
    const calls: { authorization: string; body: string }[] = [];
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on("end", () => {
        calls.push({ authorization: request.headers.authorization ?? "", body });
        response.writeHead(200, JSON_TYPE);
        response.end(
          JSON.stringify({ access_token: `t${calls.length}`, token_type: "bearer", expires_in: 3_600 }),
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    return {
      url: `http://127.0.0.1:${port}/token`,
      calls,
      close: () => new Promise<void>((resolve) => void server.close(() => resolve())),
    };
  }
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { NewsDocument } from "../../src/features/news/store.js";
import type { Database } from "../../src/platform/database.js";
import { ProviderError } from "../../src/providers/define.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createFeed, createTexts, itemOf, type TextOptions } from "../fixtures/texts.js";

const NOW = Date.parse("2024-07-09T15:00:00Z");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let testDatabase: TestDatabase;
let database: Database;
let clock: ManualClock;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await openTestDatabase(testDatabase);
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  clock = createManualClock(NOW);
  await database.query(
    "truncate instruments, news_documents, news_collections, leases restart identity cascade",
  );
});

const finnhub = () => createFeed("finnhub", "news");
const open = (options: Partial<TextOptions> = {}) => createTexts({ database, clock, feeds: [], ...options });
const at = (hoursAgo: number) => NOW - hoursAgo * HOUR;
const linksOf = ({ links }: NewsDocument) => Object.fromEntries(links.map(({ symbol, by }) => [symbol, by]));

/** What is stored of texts that one feed gave. */
async function stored(items: Parameters<typeof itemOf>[0][], sought: string | null = null) {
  const { news, instruments } = open();
  const instrument = sought === null ? null : instruments.identify(sought);
  const texts = items.map((item) => itemOf({ publishedMs: at(1), ...item }));
  const recording = await news.record(finnhub(), texts, instrument);
  return { recording, documents: await open({ feeds: [finnhub()] }).news.list({}, 100, null) };
}

describe("a text", () => {
  it("is stored once, whichever vendors give it, with all of their symbols", async () => {
    const [one, other] = [finnhub(), createFeed("alphavantage", "news")];
    const { news } = open({ feeds: [one, other] });
    const title = "Apple beats estimates and raises its full-year guidance";
    const first = itemOf({
      title,
      url: "http://www.example.com/a/?utm_source=x&id=7#top",
      publishedMs: at(3),
      symbols: ["AAPL"],
    });
    expect(await news.record(one, [first], null)).toEqual({ stored: 1, known: 0, refused: {} });
    const again = itemOf({
      title: "Another headline of the same page",
      url: "https://example.com/a?id=7&fbclid=z",
      publishedMs: at(2),
      symbols: ["MSFT"],
    });
    const elsewhere = itemOf({
      title: "APPLE beats estimates, and raises its full-year guidance - Example Wire",
      publishedMs: at(1),
      symbols: ["CRYPTO:BTC"],
    });
    expect(await news.record(other, [again, elsewhere, again], null)).toMatchObject({ stored: 0, known: 3 });
    const [document, ...more] = await news.list({}, 10, null);
    expect(more).toEqual([]);
    expect(document).toMatchObject({
      title,
      source: "finnhub",
      carriers: ["finnhub", "alphavantage"],
      publishedMs: at(3),
    });
    expect(linksOf(document)).toEqual({ AAPL: "vendor", MSFT: "vendor", "BTC-USD": "vendor" });
  });

  it("with the title of another time, of another kind or of too few words is another text", async () => {
    const { news } = open({ feeds: [finnhub()] });
    const title = "Stocks making the biggest moves before the bell";
    await news.record(
      finnhub(),
      [itemOf({ title, publishedMs: at(1) }), itemOf({ title, publishedMs: at(1 + 73) })],
      null,
    );
    await news.record(createFeed("reddit", "reddit"), [itemOf({ title, publishedMs: at(1) })], null);
    await news.record(
      finnhub(),
      [
        itemOf({ title: "Market wrap", publishedMs: at(1) }),
        itemOf({ title: "Market wrap", publishedMs: at(1) }),
      ],
      null,
    );
    expect(await news.list({}, 10, null)).toHaveLength(5);
  });

  it("given by two feeds at one time is stored once", async () => {
    const { news } = open({ feeds: [finnhub()] });
    const texts = Array.from({ length: 20 }, () => itemOf({ publishedMs: at(1) }));
    const feeds = ["a", "b", "c", "d"].map((name) => createFeed(name, "news"));
    const results = await Promise.all(feeds.map((feed) => news.record(feed, texts, null)));
    expect(results.reduce((sum, { stored: fresh }) => sum + fresh, 0)).toBe(20);
    const documents = await news.list({}, 100, null);
    expect(documents).toHaveLength(20);
    for (const { carriers } of documents) expect([...carriers].sort()).toEqual(["a", "b", "c", "d"]);
  });
});

describe("links", () => {
  const cases: [string, Parameters<typeof itemOf>[0], string | null, Record<string, string>][] = [
    ["what the vendor says", { symbols: ["aapl", "BRK.B"] }, null, { AAPL: "vendor", "BRK.B": "vendor" }],
    [
      "cashtags",
      { title: "$AAPL and $BTC rise, $500 lost" },
      null,
      { AAPL: "cashtag", "BTC-USD": "cashtag" },
    ],
    ["listings", { title: "Apple Inc. (NASDAQ: AAPL) rises" }, null, { AAPL: "listing" }],
    [
      "known tickers in parentheses",
      { title: "The maker (MSFT) and its chief (CEO) speak" },
      null,
      { MSFT: "listing" },
    ],
    [
      "names of companies",
      { summary: "Shares of Microsoft and Apple rose." },
      null,
      { AAPL: "name", MSFT: "name" },
    ],
    ["no fruit", { title: "An apple a day: farmers see a better harvest" }, null, {}],
    ["the ticker it was found by", { title: "Is AAPL worth it today?" }, "AAPL", { AAPL: "ticker" }],
    ["no other ticker than that", { title: "Is AAPL worth it today?" }, "MSFT", {}],
    ["no ticker in a text that shouts", { title: "META ANALYSIS OF ALL STUDIES" }, "META", {}],
    ["no listing of an exchange that is not known here", { title: "Vodafone (LSE: VOD) rises" }, null, {}],
    ["no nonsense of a vendor", { symbols: ["", "?", "X".repeat(60), "FOREX:USD"] }, null, {}],
    [
      "the surest of several ways",
      { title: "Apple ($AAPL) rises", symbols: ["AAPL"] },
      null,
      { AAPL: "vendor" },
    ],
  ];
  it.each(cases)("are made by %s", async (_, item, sought, links) => {
    const { documents } = await stored([item], sought);
    expect(documents.map(linksOf)).toEqual([links]);
  });
});

describe("hostile texts", () => {
  const clean: [string, string, string][] = [
    ["scripts", "Profit <script>alert('x')</script>rises <b>sharply</b> again", "Profit rises sharply again"],
    [
      "what is written in entities",
      "Profit &lt;script&gt;alert(1)&lt;/script&gt; rises &amp;amp; falls",
      "Profit rises & falls",
    ],
    ["tags that are not closed", "Profit rises <img src=x onerror=alert(1)", "Profit rises"],
    [
      "tags split by zero-width characters",
      "Profit <scr\u200bipt>alert(1)</scr\u200bipt> rises",
      "Profit rises",
    ],
    [
      "bidirectional and zero-width characters",
      "\u202eProfit\u202c ri\u200bs\u2066es\u2069\ufeff",
      "Profit rises",
    ],
    ["control characters", "Profit\u0000 ri\u0007ses\u001b[31m\r\ntoday", "Profit rises[31m today"],
    ["lone surrogates and tag characters", "Profit \ud800rises\u{e0041}", "Profit rises"],
    ["piles of accents", `Profit ri${"\u0316".repeat(50)}ses`, `Profit ri${"\u0316".repeat(3)}ses`],
  ];
  it.each(clean)("lose %s", async (_, title, expected) => {
    const { documents } = await stored([{ title }]);
    expect(documents.map((document) => document.title)).toEqual([expected]);
  });

  it("keep signs of comparison and other scripts", async () => {
    const { documents } = await stored([{ title: "मुनाफ़ा 5 < 7 & 9 > 8: 株価 ↑ 🚀" }]);
    expect(documents[0].title).toBe("मुनाफ़ा 5 < 7 & 9 > 8: 株価 ↑ 🚀".normalize("NFC"));
  });

  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)//https://a.example",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "https://user:pass@bank.example/",
    "http://localhost/admin",
    "https://",
    "//evil.example/x",
    `https://long.example/${"a".repeat(3_000)}`,
    "",
  ])("are stored without an address that is not of the web: %s", async (url) => {
    const { documents } = await stored([{ url }]);
    expect(documents.map((document) => document.url)).toEqual([null]);
  });

  it("of a megabyte are cut, and soon", async () => {
    const started = performance.now();
    const million = [
      "a".repeat(1_000_000),
      "&amp;".repeat(200_000),
      "<".repeat(1_000_000),
      "<a".repeat(500_000),
      "<script".repeat(140_000),
      "\u0301".repeat(1_000_000),
      "$AAPL ".repeat(160_000),
      `${"(".repeat(500_000)}${")".repeat(500_000)}`,
    ];
    const { recording, documents } = await stored(million.map((title) => ({ title, summary: title })));
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(recording.stored + (recording.refused.no_text ?? 0)).toBe(million.length);
    for (const { title, summary } of documents) {
      expect(title.length).toBeLessThanOrEqual(300);
      expect(summary.length).toBeLessThanOrEqual(2_000);
    }
  });

  it("without words, without a time or from the future are refused with the reason", async () => {
    const { recording, documents } = await stored([
      { title: "<b></b>\u200b", summary: " " },
      { publishedMs: Number.NaN },
      { publishedMs: NOW + DAY },
      { publishedMs: 0 },
    ]);
    expect(recording).toEqual({
      stored: 0,
      known: 0,
      refused: { no_text: 1, no_time: 1, future: 1, too_old: 1 },
    });
    expect(documents).toEqual([]);
  });

  it("are never code in the database", async () => {
    const title = `'); drop table news_documents; -- "\\" {1,2} NULL $1 %s`;
    const { documents } = await stored([{ title, publisher: "\\N", summary: '{"a":"}"}' }]);
    expect(documents).toMatchObject([{ title, publisher: "\\N", summary: '{"a":"}"}' }]);
  });
});

describe("pages", () => {
  it("follow each other without gap or repetition, also where many have one time", async () => {
    const { news } = open({ feeds: [finnhub()] });
    const texts = Array.from({ length: 25 }, (_, i) =>
      itemOf({ publishedMs: at(1 + Math.floor(i / 10)), symbols: i % 5 === 0 ? ["AAPL"] : [] }),
    );
    await news.record(finnhub(), texts, null);
    const all = await news.list({}, 100, null);
    const seen: number[] = [];
    for (let after: { publishedMs: number; id: number } | null = null; ; ) {
      const page: NewsDocument[] = await news.list({}, 4, after);
      seen.push(...page.map(({ id }) => id));
      after = page.at(-1) ?? null;
      if (page.length < 4) break;
    }
    expect(seen).toEqual(all.map(({ id }) => id));
    expect(new Set(seen).size).toBe(25);
    expect(await news.list({ symbol: "AAPL" }, 100, null)).toHaveLength(5);
    expect(await news.list({ symbol: "AAPL", kind: "reddit" }, 100, null)).toEqual([]);
  });
});

describe("collecting", () => {
  it("asks each feed about each scanned symbol, vendors about markets at large too, since it was last answered", async () => {
    const [vendor, reddit] = [finnhub(), createFeed("reddit", "reddit")];
    vendor.answer((symbol) => [itemOf({ publishedMs: at(1), symbols: symbol === "" ? [] : [symbol] })]);
    const { run, news } = open({ feeds: [vendor, reddit] });
    await run();
    expect(vendor.calls.map(({ symbol }) => symbol)).toEqual(["", "AAPL", "MSFT"]);
    expect(reddit.calls.map(({ symbol }) => symbol)).toEqual(["AAPL", "MSFT"]);
    expect(new Set(vendor.calls.map(({ fromMs }) => fromMs))).toEqual(new Set([NOW - 7 * DAY]));
    expect(await news.list({}, 10, null)).toHaveLength(3);
    expect(await news.lastCollected("AAPL")).toBe(NOW);
    clock.advance(900_000);
    await run();
    expect(vendor.calls.slice(3)).toEqual(
      ["", "AAPL", "MSFT"].map((symbol) => ({ symbol, fromMs: NOW - HOUR })),
    );
  });

  it("stays within half of a daily quota over a day of runs and restarts", async () => {
    const limited = createFeed("alphavantage", "news", { perMinute: 5, perDay: 25 });
    const universe = ["AAPL", "MSFT", "NVDA", "TSLA", "META", "AMZN", "GOOGL", "NFLX"];
    for (let run = 0; run < 96; run++) {
      await open({ feeds: [limited], universe }).run();
      clock.advance(900_000);
    }
    expect(limited.calls.length).toBeLessThanOrEqual(13);
    expect(limited.calls.length).toBeGreaterThanOrEqual(9);
    expect(new Set(limited.calls.map(({ symbol }) => symbol)).size).toBe(9);
  });

  it("pauses as a quota of a minute demands", async () => {
    const limited = createFeed("twitter", "twitter", { perMinute: 30, perDay: null });
    const pauses: number[] = [];
    await open({ feeds: [limited], pauses }).run();
    expect(pauses).toEqual([4_000]);
  });

  it("leaves a feed that refuses for this run, asks again in the next, and hinders no other", async () => {
    const [limited, broken, well] = [
      createFeed("twitter", "twitter"),
      createFeed("reddit", "reddit"),
      finnhub(),
    ];
    limited.answer(() => {
      throw new ProviderError("rate_limited", "too many requests");
    });
    broken.answer((symbol) => {
      if (symbol === "AAPL") throw new ProviderError("timeout", "no answer in time");
      return [];
    });
    const { run } = open({ feeds: [limited, broken, well] });
    await run();
    expect(limited.calls).toHaveLength(1);
    expect(broken.calls.map(({ symbol }) => symbol)).toEqual(["AAPL", "MSFT"]);
    expect(well.calls).toHaveLength(3);
    clock.advance(900_000);
    await run();
    expect(limited.calls.map(({ symbol }) => symbol)).toEqual(["AAPL", "MSFT"]);
    expect(broken.calls.slice(2)).toEqual([
      { symbol: "AAPL", fromMs: clock.now() - 7 * DAY },
      { symbol: "MSFT", fromMs: NOW - HOUR },
    ]);
  });

  it("is done by one of two instances", async () => {
    const [one, two] = [finnhub(), finnhub()];
    await open({ feeds: [one], owner: "one" }).run();
    await open({ feeds: [two], owner: "two" }).run();
    expect(one.calls).toHaveLength(3);
    expect(two.calls).toEqual([]);
  });

  it("deletes what is older than is kept, with links and scores", async () => {
    const vendor = finnhub();
    vendor.answer(() => [
      itemOf({
        publishedMs: clock.now() - 100,
        symbols: ["AAPL"],
        title: `Apple gains on record profit number ${clock.now()}`,
      }),
    ]);
    const { run, news } = open({ feeds: [vendor], retentionDays: 10, universe: ["AAPL"] });
    await run();
    expect(await news.list({}, 10, null)).toHaveLength(1);
    clock.advance(11 * DAY);
    await run();
    const left = await news.list({}, 10, null);
    expect(left.map(({ publishedMs }) => publishedMs)).toEqual([clock.now() - 100]);
    const [counts] = await database.query<{ links: number; scores: number }>(
      "select (select count(*) from news_links) as links, (select count(distinct document_id) from document_scores) as scores",
    );
    expect(counts).toEqual({ links: 1, scores: 1 });
  });
});

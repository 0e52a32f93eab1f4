import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { createOwnModel, type SentimentModel } from "../../src/features/sentiment/model.js";
import type { Database } from "../../src/platform/database.js";
import type { NewsItem } from "../../src/providers/define.js";
import type { NewsKind } from "../../src/providers/news.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createFeed, createTexts, itemOf, type TextOptions } from "../fixtures/texts.js";

const NOW = Date.parse("2024-07-09T15:00:00Z");
const HOUR = 3_600_000;
const never = new AbortController().signal;

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

const FEEDS = [
  createFeed("finnhub", "news"),
  createFeed("reddit", "reddit"),
  createFeed("twitter", "twitter"),
];
const open = (options: Partial<TextOptions> = {}) =>
  createTexts({ database, clock, feeds: FEEDS, ...options });
const GOOD = "Apple beats estimates and raises its full-year guidance";
const BAD = "Regulators fine Apple after fraud probe, shares plunge";

let serial = 0;
/** A text about AAPL of its own. */
const about = (title: string, hoursAgo: number, change: Partial<NewsItem> = {}) => {
  serial++;
  return itemOf({
    title: `${title} (report ${serial})`,
    publishedMs: NOW - hoursAgo * HOUR,
    symbols: ["AAPL"],
    ...change,
  });
};

async function store(
  texts: ReturnType<typeof open>,
  kind: NewsKind,
  items: readonly NewsItem[],
): Promise<void> {
  await texts.news.record(
    ensure(
      FEEDS.find((feed) => feed.kind === kind),
      kind,
    ),
    items,
    null,
  );
  await texts.sentiment.scorePending(never);
}

describe("scores", () => {
  it("are kept once a text and model, with the version of the model", async () => {
    const texts = open();
    await store(texts, "news", [about(GOOD, 1), about(BAD, 2)]);
    expect(await texts.sentiment.scorePending(never)).toBe(0);
    const rows = await database.query<{
      model: string;
      symbol: string;
      score: number;
      label: string;
      terms: string[];
    }>("select model, symbol, score, label, terms from document_scores order by document_id, symbol");
    expect(rows.map(({ symbol, label }) => `${symbol}:${label}`)).toEqual([
      ":positive",
      "AAPL:positive",
      ":negative",
      "AAPL:negative",
    ]);
    expect(new Set(rows.map(({ model }) => model))).toEqual(new Set([createOwnModel().version]));
    expect(rows[0].terms).toContain("beats estimates");
    expect(rows[2].terms.join(" ")).toContain("plunge");
  });

  it("are of the symbol where a text speaks of two", async () => {
    const texts = open();
    const title = "Apple shares surge to a record after upgrade, but Microsoft plunges on fraud probe";
    await store(texts, "news", [itemOf({ title, publishedMs: NOW - HOUR })]);
    const apple = (await texts.sentiment.measure("AAPL")).aggregate;
    const microsoft = (await texts.sentiment.measure("MSFT")).aggregate;
    expect(apple.available && apple.score).toBeGreaterThan(0.2);
    expect(microsoft.available && microsoft.score).toBeLessThan(-0.2);
  });

  it("are made anew by another model, and never mixed with its own", async () => {
    await store(open(), "news", [about(GOOD, 1), about(GOOD, 2)]);
    const contrary: SentimentModel = {
      version: "contrary-1",
      method: "onnx",
      score: async () => ({
        whole: { score: -0.9, label: "negative", confidence: 0.9, probabilities: null },
        symbols: new Map(),
        terms: ["guidance"],
      }),
    };
    const texts = open({ model: contrary });
    expect((await texts.sentiment.measure("AAPL")).aggregate.available).toBe(false);
    expect(await texts.sentiment.scorePending(never)).toBe(2);
    const { aggregate } = await texts.sentiment.measure("AAPL");
    expect(aggregate.available && aggregate.score).toBeCloseTo(-0.9, 12);
    const own = (await open().sentiment.measure("AAPL")).aggregate;
    expect(own.available && own.score).toBeGreaterThan(0.5);
  });

  it("of more texts than a batch are all made, also by two instances at once", async () => {
    const texts = open();
    const many = Array.from({ length: 450 }, (_, i) => about(GOOD, 1 + i / 10));
    await texts.news.record(FEEDS[0], many, null);
    await Promise.all([open().sentiment.scorePending(never), open().sentiment.scorePending(never)]);
    const [{ count }] = await database.query<{ count: number }>(
      "select count(*) from document_scores where symbol = ''",
    );
    expect(count).toBe(450);
    const { aggregate } = await texts.sentiment.measure("AAPL");
    expect(aggregate.available && aggregate.volume).toBe(450);
  });
});

describe("sentiment of a symbol", () => {
  it("renews the weights over the sources that have texts, and says why others have none", async () => {
    const texts = open({ feeds: FEEDS.slice(0, 2) });
    await store(texts, "news", [about(GOOD, 1)]);
    await store(texts, "reddit", [about(BAD, 1)]);
    const { aggregate, sources, social, counts } = await texts.sentiment.measure("AAPL");
    if (!aggregate.available) throw new Error(aggregate.reason);
    expect(Object.fromEntries(aggregate.weights)).toEqual({ news: 0.5, reddit: 0.5 });
    const scoreOf = (kind: NewsKind) => {
      const source = ensure(sources.get(kind), kind);
      return source.available ? source.score : Number.NaN;
    };
    expect(scoreOf("news")).toBeGreaterThan(0.4);
    expect(scoreOf("reddit")).toBeLessThan(-0.4);
    expect(aggregate.score).toBeCloseTo((scoreOf("news") + scoreOf("reddit")) / 2, 12);
    expect(social).toBe(scoreOf("reddit"));
    expect(counts).toEqual({ news: 1, reddit: 1, twitter: 0 });
    expect(sources.get("twitter")).toEqual({
      available: false,
      reason: "TWITTER_BEARER_TOKEN is not configured",
    });
  });

  it("weighs three sources 0.4, 0.3 and 0.3", async () => {
    const texts = open();
    for (const kind of ["news", "reddit", "twitter"] as const) await store(texts, kind, [about(GOOD, 1)]);
    const { aggregate } = await texts.sentiment.measure("AAPL");
    if (!aggregate.available) throw new Error(aggregate.reason);
    for (const [kind, weight] of [
      ["twitter", 0.4],
      ["reddit", 0.3],
      ["news", 0.3],
    ] as const)
      expect(aggregate.weights.get(kind)).toBeCloseTo(weight, 12);
  });

  it("is not available without texts, with them only from before the window, or without feeds", async () => {
    const texts = open();
    expect((await texts.sentiment.measure("AAPL")).aggregate).toMatchObject({ available: false });
    await store(texts, "news", [about(GOOD, 7 * 24 + 1)]);
    expect((await texts.sentiment.measure("AAPL")).sources.get("news")).toEqual({
      available: false,
      reason: "no documents",
    });
    await store(texts, "news", [about(GOOD, 1)]);
    expect((await texts.sentiment.measure("AAPL")).aggregate.available).toBe(true);
    const absent = await open({ feeds: [], absence: "the market is synthetic" }).sentiment.describe("AAPL");
    expect(absent.aggregate).toMatchObject({ available: false });
    expect([...absent.sources.values()]).toEqual(
      Array(3).fill({ available: false, reason: "the market is synthetic" }),
    );
    expect(absent).toMatchObject({
      history: [],
      counts: { news: 0 },
      buzz: null,
      trending: null,
      keywords: [],
    });
  });

  it("counts the last day against the days before, and names the words", async () => {
    const texts = open();
    const before = [1, 2, 3, 4, 5, 6].map((days) => about(BAD, days * 24 + 1));
    await store(texts, "news", [...before, about(GOOD, 1), about(GOOD, 2), about(GOOD, 3)]);
    const { buzz, trending, keywords, history } = await texts.sentiment.describe("AAPL");
    expect(buzz).toBe(3);
    expect(trending).toBe(0.75);
    const found = Object.fromEntries(
      keywords.map(({ keyword, mentions, score }) => [keyword, [mentions, Math.sign(score)]]),
    );
    expect(found).toMatchObject({ "beats estimates": [3, 1], plunge: [6, -1] });
    expect(history.map(({ date, volume }) => `${date} ${volume}`)).toEqual([
      ...["03", "04", "05", "06", "07", "08"].map((day) => `2024-07-${day} 1`),
      "2024-07-09 3",
    ]);
    expect(history.map(({ score }) => Math.sign(score ?? 0))).toEqual([-1, -1, -1, -1, -1, -1, 1]);
  });

  it("correlates with prices where both have twenty days, as texts that follow the price do", async () => {
    const texts = open();
    const few = await texts.sentiment.describe("AAPL");
    expect(few.correlation).toEqual({ value: null, reason: "no texts about it are stored" });
    const instrument = await texts.instruments.resolve("AAPL");
    const { candles } = await texts.candles.loadLatest(instrument, "1d", 40);
    const told = Array.from(candles.time, (time, i) => ({
      time,
      rise: i > 0 && candles.close[i] > candles.close[i - 1],
    }));
    const items = told.slice(1).map(({ time, rise }) => about(rise ? GOOD : BAD, (NOW - time) / HOUR - 2));
    await store(texts, "news", items.slice(0, 5));
    expect((await texts.sentiment.describe("AAPL")).correlation).toMatchObject({
      value: null,
      reason: expect.stringMatching(/^\d+ days have both/),
    });
    await store(texts, "news", items.slice(5));
    const { value } = (await texts.sentiment.describe("AAPL")).correlation;
    expect(value).toBeGreaterThan(0.5);
    expect(value).toBeLessThanOrEqual(1);
  });

  it("says what prices say apart, also without a text", async () => {
    const { technical, aggregate } = await open().sentiment.describe("AAPL");
    expect(aggregate.available).toBe(false);
    expect(technical.value).toBeGreaterThanOrEqual(-1);
    expect(technical.value).toBeLessThanOrEqual(1);
    const texts = open();
    texts.provider.fail("unavailable");
    expect((await texts.sentiment.describe("AAPL")).technical).toEqual({
      value: null,
      reason: expect.stringContaining("AAPL"),
    });
  });
});

describe("a survey", () => {
  it("has each symbol, and counts a text about two of them once in the whole", async () => {
    const texts = open();
    await store(texts, "news", [about(GOOD, 1), about(BAD, 1, { symbols: ["AAPL", "MSFT"] })]);
    const { overall, each } = await texts.sentiment.survey(["aapl", "MSFT", "AAPL"]);
    expect(each.map(({ symbol, counts }) => [symbol, counts.news])).toEqual([
      ["AAPL", 2],
      ["MSFT", 1],
    ]);
    expect(overall.counts.news).toBe(2);
    expect((await texts.sentiment.survey(null)).each.map(({ symbol }) => symbol)).toEqual(["AAPL", "MSFT"]);
    await expect(texts.sentiment.survey(["AAPL", "?"])).rejects.toMatchObject({ code: "symbol_invalid" });
  });
});

describe("collecting", () => {
  it("leaves every text scored", async () => {
    const vendor = createFeed("finnhub", "news");
    vendor.answer((symbol) => (symbol === "" ? [] : [about(GOOD, 1, { symbols: [symbol] })]));
    const texts = open({ feeds: [vendor] });
    await texts.run();
    const { aggregate, collectedMs } = await texts.sentiment.describe("MSFT");
    expect(aggregate.available && aggregate.volume).toBe(1);
    expect(collectedMs).toBe(NOW);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { FEATURES } from "../../src/core/learning/features/index.js";
import { sentimentOf } from "../../src/core/learning/features/knowledge.js";
import { SAMPLE_NAMES } from "../../src/core/learning/samples.js";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { createKnowledgeStore } from "../../src/features/models/knowledge.js";
import { createShowing } from "../../src/features/models/showing.js";
import { gatherMaterial } from "../../src/features/retraining/lesson.js";
import { POLICY, readLot } from "../../src/features/retraining/lots.js";
import type { Database } from "../../src/platform/database.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { saveInstrument } from "../fixtures/detections.js";
import { pulledWalk } from "../fixtures/planted-walks.js";
import { createTestWorkers } from "../fixtures/workers.js";

const MARKET = { synthetic: false, replay: null };
const DAY = 86_400_000;
const BARS = 3_000;
const walk: Candles = pulledWalk(BARS, 5, 0, "BTC-USD");
const closeOf = (at: number) => walk.time[at] + 300_000;
const variants = [
  ...new Set(
    gatherMaterial([{ candles: walk, calendar: "24x7", costBps: 10 }], POLICY).facts.flatMap(
      ({ patterns }) => patterns,
    ),
  ),
];
const GIVEN = ["edge_for", "edge_against", "sentiment"].map((name) => SAMPLE_NAMES.indexOf(name));

let server: TestDatabase;
let database: Database;
let instrument: KnownInstrument;
const workers = createTestWorkers();

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server);
});
afterAll(async () => {
  await workers.close();
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  await database.query("truncate instruments, evidence_edges, news_documents restart identity cascade");
  instrument = await saveInstrument(database, "BTC-USD", { assetClass: "crypto", calendar: "24x7" });
});

async function keepEdges(knownAt: number, edgeOf: (k: number) => number, market = MARKET): Promise<void> {
  const edges = Object.fromEntries(variants.map((variant, k) => [variant, edgeOf(k)]));
  await database.query(
    `insert into evidence_edges (synthetic, replay, interval, known_at, edges)
     values ($1, '', '5m', to_timestamp($2::float8 / 1000), $3::jsonb)`,
    [market.synthetic, knownAt, JSON.stringify(edges)],
  );
}

async function keepText(
  publishedAt: number,
  scores: readonly { at: number; score: number; model: string }[],
): Promise<void> {
  const [{ id }] = await database.query<{ id: number }>(
    `insert into news_documents (kind, publisher, title, summary, published_at, source, carriers)
     values ('news', 'p', 'a title', '', to_timestamp($1::float8 / 1000), 's', '{}') returning id`,
    [publishedAt],
  );
  await database.query(
    "insert into news_links (document_id, symbol, linked_by, published_at) values ($1, 'BTC-USD', 'name', to_timestamp($2::float8 / 1000))",
    [id, publishedAt],
  );
  for (const { at, score, model } of scores)
    await database.query(
      `insert into document_scores (document_id, model, symbol, score, confidence, label, terms, scored_at)
       values ($1, $2, '', $3, 0.8, 'neutral', '{}', to_timestamp($4::float8 / 1000))`,
      [id, model, score, at],
    );
}

/** Runs every two days from bar 600 on, and a text now and then, read up to an hour after it was published. */
async function keepAll(): Promise<void> {
  const rng = createRng(3);
  for (const at of [1_000, 1_576, 2_152, 2_728]) await keepEdges(closeOf(at) + 17, () => rng.next() - 0.5);
  for (let at = 1_200; at < BARS; at += 97) {
    const publishedAt = closeOf(at) - 200_000;
    await keepText(publishedAt, [
      { at: publishedAt + 3_600_000 * rng.next(), score: 2 * rng.next() - 1, model: "first" },
    ]);
  }
}

const knowledge = () => createKnowledgeStore(database, MARKET);

async function train(candles: Candles) {
  const { time } = candles;
  const series = { instrument, interval: "5m", fromMs: time[0], untilMs: time[time.length - 1] } as const;
  const lot = { assetClass: "crypto", interval: "5m", series: [series] };
  const source = {
    read: async () => candles,
    knowledge: knowledge(),
    labels: { statements: async () => [] },
  };
  return gatherMaterial(await readLot(source, lot, 0, new AbortController().signal), POLICY);
}

describe("what is known beside the bars", () => {
  it("is the same to the bit when a pattern is seen and when a training comes upon it later", async () => {
    await keepAll();
    const material = await train(walk);
    const showing = createShowing({
      candles: {
        loadLatest: async (_, __, count) =>
          ({ candles: sliceCandles(walk, Math.max(0, shown + 1 - count), shown + 1) }) as never,
      },
      knowledge: knowledge(),
      workers,
      scoring: { scoreAll: () => [] } as never,
    });
    let shown = 0;
    let [compared, known] = [0, 0];
    for (const [row, fact] of material.facts.entries()) {
      if (row % 23 !== 0) continue;
      shown = fact.at;
      const found = await showing.show(instrument, "5m", [fact.time]);
      const own = found.find(
        ({ snapshot: { pattern, direction } }) =>
          pattern === fact.patterns[0] && direction === fact.plan.direction,
      );
      expect(own?.snapshot.closedAt).toBe(material.samples.decidedAt[row]);
      const values = own?.snapshot.values ?? new Float64Array();
      for (const k of GIVEN) {
        const learned = material.samples.columns[k][row];
        expect(
          Object.is(values[k], learned),
          `${SAMPLE_NAMES[k]} of row ${row}: ${values[k]}, ${learned}`,
        ).toBe(true);
        if (!Number.isNaN(learned)) known++;
      }
      for (const [k, name] of SAMPLE_NAMES.entries())
        expect(Math.abs((values[k] ?? Number.NaN) - material.samples.columns[k][row]) > 1e-6, name).toBe(
          false,
        );
      compared++;
    }
    expect(compared).toBeGreaterThan(30);
    expect(known).toBeGreaterThan(40);
  });

  it("holds nothing that was measured or read after a decision, and nothing before the first run", async () => {
    await keepAll();
    const before = await train(walk);
    const at = 2_000;
    // What comes to be known later changes nothing of what was decided by then.
    await keepEdges(closeOf(at) + 1, () => 9);
    await keepText(closeOf(at) - DAY, [{ at: closeOf(at) + 1, score: 1, model: "late" }]);
    const after = await train(walk);
    let changed = 0;
    for (const [row, fact] of after.facts.entries()) {
      for (const k of GIVEN) {
        const [was, is] = [before.samples.columns[k][row], after.samples.columns[k][row]];
        if (fact.at <= at) expect(Object.is(was, is)).toBe(true);
        else if (!Object.is(was, is)) changed++;
        if (fact.at <= 1_000) expect(is).toBeNaN();
      }
    }
    expect(changed).toBeGreaterThan(20);
    expect(before.dataHash).not.toBe(after.dataHash);
  });

  it("keeps the first reading of a text, and the evidence of another market apart", async () => {
    const readAt = closeOf(1_500);
    await keepText(readAt - 60_000, [
      { at: readAt, score: 0.5, model: "zeta" },
      { at: readAt + DAY, score: -0.5, model: "alpha" },
    ]);
    await keepEdges(readAt, () => 0.3, { synthetic: true, replay: null });
    const { edges, texts } = await knowledge().load(
      { symbol: "BTC-USD", interval: "5m" },
      readAt,
      readAt + 3 * DAY,
    );
    expect(edges).toEqual([]);
    expect(texts).toEqual([{ publishedAt: readAt - 60_000, knownAt: readAt, score: 0.5 }]);
    const made = createKnowledgeStore(database, { synthetic: true, replay: null });
    const there = await made.load({ symbol: "BTC-USD", interval: "5m" }, readAt, readAt + DAY);
    expect(there.texts).toEqual([]);
    expect(there.edges).toHaveLength(1);
  });

  it("weighs texts by their age, by a plain second count", () => {
    const rng = createRng(8);
    const texts = Array.from({ length: 300 }, () => {
      const publishedAt = 30 * DAY * rng.next();
      return { publishedAt, knownAt: publishedAt + 2 * DAY * rng.next(), score: 2 * rng.next() - 1 };
    }).sort((a, b) => a.knownAt - b.knownAt);
    const { knownAt, value } = sentimentOf(texts);
    for (const [i, t] of knownAt.entries()) {
      const counted = texts.filter((text) => text.knownAt <= t && text.publishedAt > t - 7 * DAY);
      const weights = counted.map(({ publishedAt }) => Math.exp((-Math.LN2 * (t - publishedAt)) / DAY));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const mean = counted.reduce((sum, { score }, k) => sum + weights[k] * score, 0) / total;
      expect(value[i]).toBeCloseTo(mean, 12);
    }
    expect(FEATURES.filter(({ asOf }) => asOf === "given").map(({ id }) => id)).toEqual([
      "edge_for",
      "edge_against",
      "sentiment",
    ]);
  });
});

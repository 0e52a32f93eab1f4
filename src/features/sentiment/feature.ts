import type { Config } from "../../platform/config.js";
import type { Database } from "../../platform/database.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { NewsFeeds } from "../../providers/news.js";
import type { CandleService } from "../candles/candles.js";
import type { Market } from "../candles/market.js";
import type { Instruments } from "../instruments/instruments.js";
import { createCollect } from "../news/collect.js";
import { createNews } from "../news/news.js";
import { createNewsStore } from "../news/store.js";
import { createOwnModel } from "./model.js";
import { loadOnnx } from "./onnx.js";
import { createSentiment } from "./sentiment.js";
import { createSentimentStore } from "./store.js";

export interface TextFeatureOptions {
  readonly config: Config;
  readonly database: Database;
  readonly leases: Leases;
  readonly feeds: NewsFeeds;
  readonly instruments: Instruments;
  readonly candles: CandleService;
  readonly market: Market;
  /** Symbols that are scanned now. */
  readonly universe: () => readonly string[];
  readonly now: () => number;
  readonly log: Log;
}

/** News and what they say, with the loop that collects them. */
export async function createTextFeatures(options: TextFeatureOptions) {
  const { config, database, log } = options;
  const store = createNewsStore(database);
  const news = createNews({ ...options, store });
  const own = createOwnModel();
  const { model, state: classifier } = await loadOnnx(config.SENTIMENT_MODEL_PATH);
  if (classifier.configured && !classifier.available)
    log.warn({ reason: classifier.reason }, "own model in use");
  const sentiment = createSentiment({
    ...options,
    store: createSentimentStore(database),
    news,
    own,
    model: model ?? own,
    classifier,
  });
  const collect = createCollect({
    ...options,
    news,
    store,
    everyMs: config.NEWS_INTERVAL * 1_000,
    retentionDays: config.NEWS_RETENTION_DAYS,
    score: sentiment.scorePending,
  });
  return { news, sentiment, collect };
}

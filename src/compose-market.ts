import type { Base } from "./compose-base.js";
import { createAnalysis } from "./features/analysis/analysis.js";
import { createLive } from "./features/candles/live.js";
import { createMarket } from "./features/candles/market.js";
import { createPrices } from "./features/candles/prices.js";
import { createQuotes } from "./features/candles/quotes.js";
import { createCatalogue } from "./features/catalogue/catalogue.js";
import { createCatalogueStore } from "./features/catalogue/store.js";
import { createDetections } from "./features/detections/detections.js";
import { createDetectionStore } from "./features/detections/store.js";
import type { Evidence } from "./features/evidence/evidence.js";
import { createInstruments } from "./features/instruments/instruments.js";
import { createSearch } from "./features/instruments/search.js";
import { createInstrumentStore } from "./features/instruments/store.js";
import { createOverview } from "./features/market/overview.js";
import { createArrivals, recordUnused } from "./features/quality/arrivals.js";
import { createQualityFeature } from "./features/quality/feature.js";
import { createRegimes } from "./features/regimes/regimes.js";
import { createWatchlistStore } from "./features/watchlists/store.js";
import { createWatchlists } from "./features/watchlists/watchlists.js";
import { createCachedReads } from "./platform/cached-reads.js";
import type { Config } from "./platform/config.js";
import { messageOf } from "./platform/errors.js";
import { vendorClient } from "./providers/index.js";
import { createMarketReads } from "./providers/reads.js";
import { createStreams } from "./providers/streams.js";

/** Instruments, candles and what is computed of them. @param universe symbols that are scanned now. */
export async function createMarketFeatures(
  base: Base,
  universe: () => readonly string[],
  confidenceOf: Evidence["confidenceOf"],
) {
  const { config, database, gateway } = base;
  const instruments = createInstruments({
    store: createInstrumentStore(database),
    gateway,
    configured: config.SCAN_SYMBOLS ?? null,
  });
  checkSymbols(config, instruments.identify);
  const prices = createPrices({
    ...base,
    instruments,
    record: (issues, origin) => quality.record(issues, origin),
    inspectWith: (actions, look) => createArrivals({ quality: () => quality, actions, look, now: base.now }),
  });
  const { candles } = prices;
  const { synthetic } = gateway;
  const streams = () => live.health();
  const { quality, watch } = createQualityFeature({ ...base, candles, instruments, streams });
  const live = createLive({
    ...base,
    instruments,
    candles,
    watch,
    protocols: createStreams(config, vendorClient(), base.now),
    intervals: config.SCAN_INTERVALS,
    random: Math.random,
  });
  const quotes = createQuotes({ ...base, candles, live, watch });
  const detectionStore = createDetectionStore(database);
  await recordUnused(gateway.providers, quality);
  const reads = createMarketReads({ gateway, reads: createCachedReads(base) });
  return {
    instruments,
    quotes,
    ...prices,
    search: createSearch({ gateway, instruments, reads }),
    reads,
    detectionStore,
    overview: createOverview({ ...base, instruments, quotes, universe }),
    market: createMarket({ ...base, ...prices, instruments, quotes, universe }),
    catalogue: createCatalogue({
      store: createCatalogueStore(database),
      gateway,
      instruments,
      universe,
      streams,
    }),
    watchlists: createWatchlists({ store: createWatchlistStore(database), instruments }),
    regimes: createRegimes({ ...base, candles, instruments }),
    analysis: createAnalysis({ candles, instruments, workers: base.workers }),
    detections: createDetections({
      ...base,
      store: detectionStore,
      candles,
      instruments,
      confidenceOf,
      synthetic,
    }),
    quality,
    live,
  };
}

/** @throws naming the variable, where the sources lack what is to be scanned. */
function checkSymbols({ SCAN_SYMBOLS = [] }: Config, identify: (text: string) => unknown): void {
  for (const symbol of SCAN_SYMBOLS) {
    try {
      identify(symbol);
    } catch (error) {
      throw new Error(`SCAN_SYMBOLS: ${symbol}: ${messageOf(error)}`, { cause: error });
    }
  }
}

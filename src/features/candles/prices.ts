import type { Cache } from "../../platform/cache.js";
import type { Database } from "../../platform/database.js";
import type { Log } from "../../platform/log.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Instruments } from "../instruments/instruments.js";
import { createActionStore } from "./action-store.js";
import { createActionWatch } from "./action-watch.js";
import { type Actions, createActions } from "./actions.js";
import { createAdjusted } from "./adjusted.js";
import { createCandles } from "./candles.js";
import { createDividendWatch, type RecordIssues } from "./dividend-watch.js";
import { createGapStore } from "./gap-store.js";
import { createGaps } from "./gaps.js";
import type { Inspect } from "./inspection.js";
import { createSplitLooks, type LookAtSplits } from "./split-looks.js";
import { createCandleStore } from "./store.js";
import { createVersionStore } from "./version-store.js";

export interface PricesOptions {
  readonly database: Database;
  readonly gateway: Gateway;
  readonly instruments: Instruments;
  readonly cache: Cache;
  /** Whoever looks at bars before they are stored; splits and dividends can be asked for then. */
  inspectWith(actions: () => Actions, look: LookAtSplits): Inspect;
  /** Keeps what is found in dividends. */
  readonly record: RecordIssues;
  readonly now: () => number;
  readonly log: Log;
}

/** Candles as they are stored, and adjusted: whatever computes reads `candles`, in which no split is a fall. */
export function createPrices(options: PricesOptions) {
  const { database, gateway } = options;
  const store = createCandleStore(database);
  const gapStore = createGapStore(database);
  const given = createCandles({
    ...options,
    store,
    gapStore,
    versionStore: createVersionStore(database),
    inspect: options.inspectWith(() => actions, createSplitLooks(options)),
  });
  const actions: Actions = createActions({
    ...options,
    store: createActionStore(database),
    source: gateway,
    days: async ({ id, symbol }, from, to, knownAtMs) =>
      (await store.load(id, symbol, "1d", from, to, { knownAtMs })).candles,
    watch: createActionWatch(options),
  });
  const watchDividends = createDividendWatch(options);
  const adjusted = createAdjusted({ ...options, candles: given, actions, watchDividends });
  return {
    actions,
    adjusted,
    candles: adjusted.steady,
    candleStore: store,
    gaps: createGaps({ ...options, store, gapStore }),
  };
}

import type { Bus } from "../../platform/bus.js";
import type { Database } from "../../platform/database.js";
import { messageOf } from "../../platform/errors.js";
import { fileUnread, sourceCalled } from "../../providers/called.js";
import type { CandleService } from "../candles/candles.js";
import type { PriceWatch } from "../candles/price-watch.js";
import { recordUnread } from "./arrivals.js";
import { createBands } from "./bands.js";
import { createQuality, type Quality, type QualityOptions } from "./quality.js";
import { createIssueStore } from "./store.js";
import { createPriceWatch } from "./watch.js";

export interface QualityFeatureOptions extends Omit<QualityOptions, "store" | "bands" | "synthetic"> {
  readonly database: Database;
  readonly bus: Pick<Bus, "subscribe">;
  readonly gateway: { readonly synthetic: boolean };
  readonly candles: Pick<CandleService, "loadLatest">;
}

/** The monitor, which hears of every call of a source, and the watch over prices. */
export function createQualityFeature(options: QualityFeatureOptions): {
  quality: Quality;
  watch: PriceWatch;
} {
  const { synthetic } = options.gateway;
  const bands = createBands(options);
  const store = createIssueStore(options.database);
  const quality = createQuality({ ...options, store, bands, synthetic });
  options.bus.subscribe(sourceCalled, ({ source, ms, ok }) => quality.onCall(source, ms, ok));
  options.bus.subscribe(fileUnread, (file) => {
    recordUnread(quality, file).catch((error: unknown) =>
      options.log.warn({ file: file.name, reason: messageOf(error) }, "what was found in a file is not kept"),
    );
  });
  return { quality, watch: createPriceWatch({ ...options, bands, quality, synthetic }) };
}

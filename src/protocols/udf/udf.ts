import type { FastifyInstance, FastifyPluginCallback } from "fastify";
import type { Alerts } from "../../features/alerts/alerts.js";
import type { AdjustedCandles } from "../../features/candles/adjusted.js";
import type { Quotes } from "../../features/candles/quotes.js";
import type { Detections } from "../../features/detections/detections.js";
import type { Instruments } from "../../features/instruments/instruments.js";
import type { Search } from "../../features/instruments/search.js";
import type { Clock } from "../../platform/clock.js";
import type { Gateway } from "../../providers/gateway.js";
import { createChartBars } from "./bars.js";
import { type ExplainError, PREFIX, refuseUnknown, speakChart } from "./http.js";
import { createMarks } from "./marks.js";
import { openbbRoutes } from "./openbb-routes.js";
import { udfRoutes } from "./routes.js";
import { createSymbols } from "./symbols.js";

/** What the feed of charts speaks to. */
export interface UdfOptions {
  readonly instruments: Instruments;
  readonly search: Search;
  readonly adjusted: AdjustedCandles;
  readonly quotes: Quotes;
  readonly detections: Detections;
  readonly alerts: Alerts;
  readonly gateway: Gateway;
  readonly clock: Pick<Clock, "now">;
  readonly explain: ExplainError;
}

/**
 * TradingView's Universal Data Feed in a scope of its own, where errors are those of the protocol, and what tells
 * OpenBB Workspace of it and of tables beside it.
 */
export function registerUdf(app: FastifyInstance, parts: UdfOptions): void {
  const { now } = parts.clock;
  const symbols = createSymbols({ ...parts, now });
  const marks = createMarks({ ...parts, symbols });
  void app.register((scope, _options, done) => {
    speakChart(scope, parts.explain);
    udfRoutes(scope, { ...parts, symbols, marks, bars: createChartBars(parts), now });
    done();
  });
  const unknown: FastifyPluginCallback = (scope, _options, done) => {
    refuseUnknown(scope);
    done();
  };
  void app.register(unknown, { prefix: PREFIX });
  openbbRoutes(app, { instruments: parts.instruments });
}

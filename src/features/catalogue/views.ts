import type { z } from "zod";
import { ensure } from "../../core/base/assert.js";
import { finiteOrNull } from "../../core/base/finite.js";
import { type Indicator, resolveParameters } from "../../core/indicators/define.js";
import type { Instrument } from "../../core/market/instrument.js";
import type { Pattern } from "../../core/patterns/define.js";
import { isoTime } from "../../platform/http.js";
import type { Catalogue, Coverage, UnservedClass } from "./catalogue.js";
import type {
  assetsSchema,
  coverageSchema,
  dataCoverageSchema,
  featuresSchema,
  indicatorSchema,
  instrumentSchema,
  patternSchema,
  unservedSchema,
} from "./schema.js";

const TYPES = { 1: "bullish", 0: "neutral", [-1]: "bearish" } as const;

export function instrumentView(instrument: Instrument): z.input<typeof instrumentSchema> {
  const { symbol, name, assetClass, exchange, currency, calendar } = instrument;
  return { symbol, name, asset_class: assetClass, exchange, currency, calendar };
}

export function assetsView(
  instruments: readonly Instrument[],
  lastUpdate: number | null,
): z.input<typeof assetsSchema> {
  const symbolsOf = (keep: (instrument: Instrument) => boolean) =>
    instruments.filter(keep).map(({ symbol }) => symbol);
  const etfs = symbolsOf(({ assetClass }) => assetClass === "etf");
  const crypto = symbolsOf(({ assetClass }) => assetClass === "crypto");
  const forex = symbolsOf(({ assetClass }) => assetClass === "fx");
  const commodities = symbolsOf(({ assetClass }) => assetClass === "commodity");
  return {
    stocks: {
      us_markets: symbolsOf(({ assetClass, calendar }) => assetClass === "equity" && calendar === "XNYS"),
      international: symbolsOf(({ assetClass, calendar }) => assetClass === "equity" && calendar !== "XNYS"),
    },
    indices: {
      major_indices: symbolsOf(({ assetClass }) => assetClass === "index"),
      sector_etfs: etfs.filter((symbol) => symbol.startsWith("XL")),
      total_etfs: etfs.length,
    },
    crypto: { available: crypto.length > 0, major_pairs: crypto },
    forex: { available: forex.length > 0, major_pairs: forex },
    commodities: { available: commodities.length > 0, symbols: commodities },
    total_count: instruments.length,
    last_updated: timeOrNull(lastUpdate),
  };
}

export function featuresView(catalogue: Catalogue): z.input<typeof featuresSchema> {
  const groups: z.input<typeof featuresSchema> = {
    data_sources: {},
    pattern_detection: {},
    trading_capabilities: {},
    analytics: {},
    real_time_features: {},
  };
  for (const [name, configured] of Object.entries(catalogue.providers().configured)) {
    const description = configured ? "In use" : "Named in MARKET_DATA, it is used";
    groups.data_sources[name] = { status: configured ? "active" : "optional", description };
  }
  for (const [name, reason] of catalogue.failing()) {
    groups.data_sources[name] = {
      status: "failing",
      description: `In use; its last calls failed: ${reason}`,
    };
  }
  for (const family of new Set(catalogue.patterns.map((pattern) => pattern.family))) {
    const count = catalogue.patterns.filter((pattern) => pattern.family === family).length;
    groups.pattern_detection[family] = { status: "active", description: `${count} patterns on closed bars` };
  }
  for (const { group, name, status, description } of catalogue.capabilities) {
    groups[group][name] = { status, description };
  }
  return groups;
}

export function unservedView({ name, symbols, reason }: UnservedClass): z.input<typeof unservedSchema> {
  return { class: name, symbols: [...symbols], reason };
}

export function coverageView(coverage: Coverage): z.input<typeof coverageSchema> {
  return {
    coverage_pct: coverage.percent,
    scanned_assets: coverage.symbols,
    total_assets: coverage.total,
    last_update: timeOrNull(coverage.lastUpdate),
  };
}

export function dataCoverageView(
  catalogue: Catalogue,
  coverage: Coverage,
): z.input<typeof dataCoverageSchema> {
  const { configured, priority } = catalogue.providers();
  const { stocks, crypto, forex, india } = priority;
  return {
    providers: {
      configured: { ...configured },
      priority: { stocks: [...stocks], crypto: [...crypto], forex: [...forex], india: [...india] },
    },
    symbols: { total: coverage.total, scanned: coverage.symbols },
    timeframes: [...catalogue.intervals],
    patterns: catalogue.patterns.flatMap((pattern) => pattern.variants.map(({ id }) => id)),
    coverage_pct: coverage.percent,
    last_update: timeOrNull(coverage.lastUpdate),
  };
}

export function patternViews(pattern: Pattern): z.input<typeof patternSchema>[] {
  return pattern.variants.map(({ id, title, direction, outlook, priorTrend }) => ({
    id,
    name: title,
    type: TYPES[direction],
    description: pattern.description,
    timeframe: "any",
    reliability: null,
    category: pattern.family,
    pattern: pattern.name,
    outlook,
    prior_trend: priorTrend,
    bars: pattern.bars,
    warmup: pattern.warmup,
    source: pattern.source,
  }));
}

export function indicatorView(indicator: Indicator): z.input<typeof indicatorSchema> {
  const values = ensure(resolveParameters(indicator, {}).values, `defaults of ${indicator.name}`);
  const settle = indicator.settle(values);
  const { name, title, family, inputs, parameters, constraint, outputs, origin, source } = indicator;
  return {
    name,
    title,
    family,
    origin,
    source,
    inputs: [...inputs],
    parameters: parameters.map((parameter) => ({ ...parameter })),
    constraint,
    outputs: outputs.map((output, index) => ({
      name: output.name,
      unit: output.unit,
      range:
        output.range === undefined ? null : [finiteOrNull(output.range[0]), finiteOrNull(output.range[1])],
      warmup: indicator.warmup(values, index),
    })),
    settle: finiteOrNull(settle),
  };
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}

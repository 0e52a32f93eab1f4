import { INDICATORS } from "../../core/indicators/index.js";
import type { Instrument } from "../../core/market/instrument.js";
import { INTERVALS } from "../../core/market/interval.js";
import { PATTERNS } from "../../core/patterns/index.js";
import type { Gateway } from "../../providers/gateway.js";
import type { ProviderHealth } from "../../providers/guard.js";
import { PROVIDER_NAMES, type ProviderName } from "../../providers/index.js";
import type { StreamHealth } from "../../providers/stream-client.js";
import type { Instruments } from "../instruments/instruments.js";
import { CAPABILITIES } from "./capabilities.js";
import type { CatalogueStore, ScannedSummary } from "./store.js";

export interface Coverage extends ScannedSummary {
  /** Symbols that are scanned. */
  readonly total: number;
  /** Share of them that has been examined, in percent. */
  readonly percent: number;
}

export interface ProviderSummary {
  readonly configured: Readonly<Record<string, boolean>>;
  /** Order in which sources are asked, by class of asset. */
  readonly priority: Readonly<Record<"stocks" | "crypto" | "forex" | "india", readonly string[]>>;
}

/** What the server knows: instruments, indicators, patterns, sources. */
export interface Catalogue {
  readonly indicators: typeof INDICATORS;
  readonly patterns: typeof PATTERNS;
  readonly intervals: typeof INTERVALS;
  readonly capabilities: typeof CAPABILITIES;
  providers(): ProviderSummary;
  /** How the followed streams of trades are. */
  streams(): readonly StreamHealth[];
  /** How the configured sources are, without asking them. */
  providerHealth(): Promise<readonly ProviderHealth[]>;
  instruments(): Promise<readonly Instrument[]>;
  coverage(): Promise<Coverage>;
}

export function createCatalogue(options: {
  store: CatalogueStore;
  gateway: Gateway;
  instruments: Instruments;
  /** Symbols that are scanned now. */
  universe: () => readonly string[];
  streams: () => readonly StreamHealth[];
}): Catalogue {
  const { store, gateway, instruments, universe, streams } = options;
  const order = gateway.providers.map(({ name }) => name);
  return {
    indicators: INDICATORS,
    patterns: PATTERNS,
    intervals: INTERVALS,
    capabilities: CAPABILITIES,
    providers: () => ({
      configured: Object.fromEntries(
        PROVIDER_NAMES.map((name: ProviderName) => [name, order.includes(name)]),
      ),
      priority: {
        stocks: gateway.priority("equity"),
        crypto: gateway.priority("crypto"),
        forex: gateway.priority("fx"),
        india: gateway.priority("india"),
      },
    }),
    streams,
    providerHealth: gateway.loadHealth,
    instruments: () => instruments.list(),
    async coverage() {
      const scanned = await store.loadScanned(gateway.synthetic);
      const total = universe().length;
      return { ...scanned, total, percent: total === 0 ? 0 : Math.min(100, (100 * scanned.symbols) / total) };
    },
  };
}

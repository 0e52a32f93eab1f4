import { INDICATORS } from "../../core/indicators/index.js";
import type { Instrument } from "../../core/market/instrument.js";
import { INTERVALS } from "../../core/market/interval.js";
import { PATTERNS } from "../../core/patterns/index.js";
import { AppError } from "../../platform/errors.js";
import type { Gateway } from "../../providers/gateway.js";
import type { ProviderHealth } from "../../providers/guard.js";
import { PROVIDER_NAMES, type ProviderName } from "../../providers/index.js";
import type { StreamHealth } from "../../providers/stream-client.js";
import { isFailing } from "../../providers/unserved.js";
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

const CLASS_NAMES = { equity: "stocks", crypto: "crypto", fx: "forex", india: "india" } as const;
type ClassName = (typeof CLASS_NAMES)[keyof typeof CLASS_NAMES] | "other";

/** A class of assets whose every source fails. */
export interface UnservedClass {
  readonly name: ClassName;
  /** Scanned symbols that have no other source. */
  readonly symbols: readonly string[];
  readonly reason: string;
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
  /** Which of them fail by what is known, and what they said. */
  failing(): ReadonlyMap<string, string>;
  /** Classes that no source serves, by what is scanned of them. */
  unserved(): readonly UnservedClass[];
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
  const scannedInstruments = () => universe().flatMap((symbol) => knownInstrument(instruments, symbol));
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
    failing: () =>
      new Map(
        gateway
          .health()
          .filter(isFailing)
          .map(({ name, lastError }) => [name, lastError ?? "no answer"]),
      ),
    unserved: () =>
      gateway.unserved(scannedInstruments()).map(({ market, symbols, reason }) => {
        return { name: market === null ? "other" : CLASS_NAMES[market], symbols, reason };
      }),
    instruments: () => instruments.list(),
    async coverage() {
      const scanned = await store.loadScanned(gateway.synthetic);
      const total = universe().length;
      return { ...scanned, total, percent: total === 0 ? 0 : Math.min(100, (100 * scanned.symbols) / total) };
    },
  };
}

/** None for a symbol that was scanned with other sources and that no source carries now. */
function knownInstrument(instruments: Pick<Instruments, "identify">, symbol: string): Instrument[] {
  try {
    return [instruments.identify(symbol)];
  } catch (error) {
    if (error instanceof AppError) return [];
    throw error;
  }
}

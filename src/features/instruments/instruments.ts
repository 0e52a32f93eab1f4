import { classifySymbol, type Instrument, normaliseSymbol } from "../../core/market/instrument.js";
import { AppError } from "../../platform/errors.js";
import { DEFAULT_SYMBOLS } from "../../providers/default-symbols.js";
import type { Gateway } from "../../providers/gateway.js";
import type { InstrumentStore, KnownInstrument } from "./store.js";

export interface Instruments {
  /**
   * The instrument that a text names, in any spelling, with its row.
   * @throws {AppError} `symbol_invalid`, or `symbol_unknown` when no source carries it.
   */
  resolve(text: string): Promise<KnownInstrument>;
  /** The instrument, without touching the database. @throws {AppError} as `resolve`. */
  identify(text: string): Instrument;
  /** What the sources list, what is scanned, and what has been asked for before; by symbol. */
  list(): Promise<readonly Instrument[]>;
  /** What is scanned unless somebody says otherwise. */
  defaultUniverse(): readonly string[];
  /** Every row of the market in use. */
  stored(): Promise<readonly KnownInstrument[]>;
}

export interface InstrumentsOptions {
  readonly store: InstrumentStore;
  readonly gateway: Gateway;
  /** Configured symbols; null when there are none. */
  readonly configured: readonly string[] | null;
}

export function createInstruments({ store, gateway, configured }: InstrumentsOptions): Instruments {
  const known = new Map<string, KnownInstrument>();
  const saving = new Map<string, Promise<KnownInstrument>>();
  const listed = new Map(gateway.listInstruments().map((instrument) => [instrument.symbol, instrument]));

  function identify(text: string): Instrument {
    const symbol = normaliseSymbol(text);
    if (symbol === null)
      throw new AppError("symbol_invalid", "A symbol has letters, digits and . - = ^ _ only");
    const instrument = listed.get(symbol) ?? classifySymbol(symbol);
    if (instrument === null || gateway.intervals(instrument).length === 0) {
      throw new AppError("symbol_unknown", `No configured source knows ${symbol}`);
    }
    return instrument;
  }

  async function resolve(text: string): Promise<KnownInstrument> {
    const instrument = identify(text);
    const { symbol } = instrument;
    const found = known.get(symbol);
    if (found !== undefined) return found;
    const work = saving.get(symbol) ?? store.save(instrument, gateway.synthetic);
    saving.set(symbol, work);
    try {
      const saved = await work;
      known.set(symbol, saved);
      return saved;
    } finally {
      saving.delete(symbol);
    }
  }

  function defaultUniverse(): readonly string[] {
    if (configured !== null) return configured.map((text) => identify(text).symbol);
    const complete = gateway.providers.filter((provider) => provider.listsAll);
    if (complete.length === 0) return DEFAULT_SYMBOLS;
    return [
      ...new Set(complete.flatMap((provider) => provider.listInstruments().map(({ symbol }) => symbol))),
    ];
  }

  const stored = () => store.loadAll(gateway.synthetic);

  return {
    resolve,
    identify,
    defaultUniverse,
    stored,
    async list() {
      const bySymbol = new Map<string, Instrument>(listed);
      for (const symbol of defaultUniverse()) bySymbol.set(symbol, identify(symbol));
      for (const instrument of await stored()) {
        if (!bySymbol.has(instrument.symbol)) bySymbol.set(instrument.symbol, instrument);
      }
      return [...bySymbol.values()].sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
    },
  };
}

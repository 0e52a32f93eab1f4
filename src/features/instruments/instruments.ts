import { LRUCache } from "lru-cache";
import { classifySymbol, type Instrument, normaliseSymbol } from "../../core/market/instrument.js";
import { AppError } from "../../platform/errors.js";
import { DEFAULT_SYMBOLS } from "../../providers/default-symbols.js";
import type { Gateway } from "../../providers/gateway.js";
import type { InstrumentStore, KnownInstrument } from "./store.js";

export interface Instruments {
  /**
   * The instrument that a text names, in any spelling, with its row: made when a source lists it, it is configured, or
   * a source has shown data of it.
   * @throws {AppError} `symbol_invalid`; `symbol_unknown` when no source carries it, or there is no room for more;
   * `provider_unavailable` when no source can be asked about a new one.
   */
  resolve(text: string): Promise<KnownInstrument>;
  /** The same of what is traded here: no source is asked for proof. @throws {AppError} as `identify`. */
  admit(text: string): Promise<KnownInstrument>;
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

const MEMORY_LIMIT = 5_000;
/** Rows of symbols that are asked for without being listed; more are not made. */
const STRAY_LIMIT = 5_000;
/** Bars this far back are proof of an instrument. */
const PROOF_MS = 60 * 86_400_000;

export function createInstruments({ store, gateway, configured }: InstrumentsOptions): Instruments {
  const market = { synthetic: gateway.synthetic, replay: gateway.replay };
  const known = new LRUCache<string, KnownInstrument>({ max: MEMORY_LIMIT });
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
    const work = saving.get(symbol) ?? saveKnown(instrument);
    saving.set(symbol, work);
    try {
      const saved = await work;
      known.set(symbol, saved);
      return saved;
    } finally {
      saving.delete(symbol);
    }
  }

  /** Renews or makes the row of an instrument that is known to exist. */
  async function saveKnown(instrument: Instrument): Promise<KnownInstrument> {
    const { symbol } = instrument;
    const expected = listed.has(symbol) || defaultUniverse().includes(symbol);
    if (!expected && (await store.find(symbol, market)) === null) {
      await requireData(instrument);
      if ((await store.count(market)) >= listed.size + STRAY_LIMIT) {
        throw new AppError(
          "symbol_unknown",
          `${symbol} is not listed, and there is no room for more symbols`,
        );
      }
    }
    return store.save(instrument, market);
  }

  /** @throws {AppError} `symbol_unknown`, `no_data` or `provider_unavailable` when no source shows data of it. */
  async function requireData(instrument: Instrument): Promise<void> {
    if ((await gateway.fetchQuote(instrument)) !== null) return;
    const interval = gateway.intervals(instrument).at(-1);
    if (interval !== undefined) {
      const end = await gateway.feedNowMs(instrument, interval);
      const { candles } = await gateway.fetchCandles(instrument, interval, end - PROOF_MS, end);
      if (candles.time.length > 0) return;
    }
    throw new AppError("no_data", `No source has data of ${instrument.symbol}`);
  }

  function defaultUniverse(): readonly string[] {
    if (configured !== null) return configured.map((text) => identify(text).symbol);
    const complete = gateway.providers.filter((provider) => provider.listsAll);
    if (complete.length === 0) return DEFAULT_SYMBOLS;
    return [
      ...new Set(complete.flatMap((provider) => provider.listInstruments().map(({ symbol }) => symbol))),
    ];
  }

  const stored = () => store.loadAll(market);

  return {
    resolve,
    admit: (text) => store.save(identify(text), market),
    identify,
    defaultUniverse,
    stored,
    async list() {
      const bySymbol = new Map<string, Instrument>(listed);
      for (const symbol of defaultUniverse()) bySymbol.set(symbol, identify(symbol));
      for (const instrument of await stored()) {
        const carried = gateway.intervals(instrument).length > 0;
        if (carried && !bySymbol.has(instrument.symbol)) bySymbol.set(instrument.symbol, instrument);
      }
      return [...bySymbol.values()].sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
    },
  };
}

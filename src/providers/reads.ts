import { z } from "zod";
import type { CorporateAction } from "../core/market/actions.js";
import type { Instrument } from "../core/market/instrument.js";
import { type ChainQuotes, LEG_COLUMNS } from "../core/market/option-quote.js";
import type { CachedReads, Read, ReadKind } from "../platform/cached-reads.js";
import type { FoundSymbol, MarketStatus } from "./define.js";
import type { Gateway, Sourced } from "./gateway.js";

/** How long what a source said counts as fresh, by kind. Candles have a rule of their own. */
export const FRESH_MS = {
  quote: 30_000,
  history: 3_600_000,
  marketIndicators: 300_000,
  marketStatus: 60_000,
} as const;

/** What sources have beside candles and quotes, remembered: fresh, or marked as stale with its age and the reason. */
export interface MarketReads {
  loadExpiries(underlying: Instrument): Promise<Read<Sourced<readonly number[]>>>;
  loadChain(underlying: Instrument, expiryDay: number): Promise<Read<Sourced<ChainQuotes>>>;
  loadActions(
    instrument: Instrument,
    fromDay: number,
    toDay: number,
  ): Promise<Read<Sourced<readonly CorporateAction[]>>>;
  search(text: string): Promise<Read<readonly Sourced<FoundSymbol>[]>>;
  /** Its value is null when no source tells. */
  loadStatus(): Promise<Read<Sourced<MarketStatus> | null>>;
}

const sourced = <T>(value: z.ZodType<T>): z.ZodType<Sourced<T>> =>
  z.object({ value, source: z.string(), synthetic: z.boolean() });

const column = z.number().nullable().optional();
/** JSON has no NaN. */
const orNaN = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const legSchema = z.object({
  expiry: z.number(),
  strike: z.number(),
  right: z.enum(["call", "put"]),
  ...(Object.fromEntries(LEG_COLUMNS.map((name) => [name, column])) as Record<
    (typeof LEG_COLUMNS)[number],
    typeof column
  >),
});
const chainSchema = z.object({
  underlying: z.string(),
  time: z.number(),
  spot: orNaN,
  quotes: z.array(legSchema),
}) as z.ZodType<ChainQuotes>;

const actionSchema: z.ZodType<CorporateAction> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("split"), exDay: z.number(), ratio: z.number() }),
  z.object({ kind: z.literal("dividend"), exDay: z.number(), amount: z.number(), currency: z.string() }),
]);

const foundSchema = z.object({
  instrument: z.object({
    symbol: z.string(),
    name: z.string(),
    assetClass: z.string(),
    exchange: z.string(),
    currency: z.string(),
    calendar: z.string(),
  }),
  vendorSymbol: z.string(),
}) as z.ZodType<FoundSymbol>;

const statusSchema: z.ZodType<MarketStatus> = z.object({
  phase: z.enum(["open", "closed", "pre", "post"]),
  time: z.number(),
  description: z.string().nullable(),
});

const kind = <T>(prefix: string, schema: z.ZodType<T>, freshMs: number): ReadKind<T> => ({
  prefix,
  schema,
  freshMs,
});
const EXPIRIES = kind("expiries1", sourced<readonly number[]>(z.array(z.number())), FRESH_MS.history);
const CHAIN = kind("chain1", sourced(chainSchema), FRESH_MS.quote);
const ACTIONS = kind(
  "actions1",
  sourced<readonly CorporateAction[]>(z.array(actionSchema)),
  FRESH_MS.history,
);
const FOUND = kind<readonly Sourced<FoundSymbol>[]>(
  "search1",
  z.array(sourced(foundSchema)),
  FRESH_MS.history,
);
const STATUS = kind("status1", sourced(statusSchema).nullable(), FRESH_MS.marketStatus);

export function createMarketReads({ gateway, reads }: { gateway: Gateway; reads: CachedReads }): MarketReads {
  // Real and synthetic markets, and replays, may share a cache.
  const market = `${gateway.synthetic ? "synthetic" : "real"}:${gateway.replay ?? ""}`;
  const keyed = (...parts: (string | number)[]) => [market, ...parts].join(":");
  return {
    loadExpiries: (underlying) =>
      reads.read(EXPIRIES, keyed(underlying.symbol), () => gateway.fetchExpiries(underlying)),
    loadChain: (underlying, expiryDay) =>
      reads.read(CHAIN, keyed(underlying.symbol, expiryDay), () => gateway.fetchChain(underlying, expiryDay)),
    loadActions: (instrument, fromDay, toDay) =>
      reads.read(ACTIONS, keyed(instrument.symbol, fromDay, toDay), () =>
        gateway.fetchActions(instrument, fromDay, toDay),
      ),
    search: (text) => reads.read(FOUND, keyed(text), () => gateway.search(text)),
    loadStatus: () => reads.read(STATUS, keyed(), gateway.fetchStatus),
  };
}

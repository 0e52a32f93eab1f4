import { z } from "zod";
import { Spellings, SymbolTable } from "../../core/ticks/batch.js";
import { GUARD_TERMS } from "../../core/ticks/guard-terms.js";
import { allocateQuotes, EMPTY, LOCKED, NEGATIVE, QUOTE_KINDS, QuoteMids } from "../../core/ticks/quotes.js";
import { instantOfText, type RefusedRow } from "../../core/ticks/read-ndjson.js";
import { allocateTicks, firstTicks } from "../../core/ticks/tick.js";
import { FROM_THE_FUTURE, VERDICTS } from "../../core/ticks/verdict.js";
import type { RouteGroup } from "../../platform/http.js";
import { idempotencyKeyOf } from "../../platform/idempotency.js";
import { sha256 } from "../../platform/sha256.js";
import { inSlices } from "../../platform/slices.js";
import { ownKey, type Pipeline, type SentTicks } from "./pipeline.js";
import { MOST_ROWS, receipt } from "./schema.js";

const QUOTE_SOURCE = "sent quotes";
/** Symbols whose sides are remembered. */
const SYMBOLS = 10_000;
const NO_SYMBOL = "symbol is not a symbol";
const NO_ROOM = `no_room: sides of ${SYMBOLS} symbols are remembered`;

const quotesBody = z
  .array(z.unknown())
  .max(MOST_ROWS)
  .describe(
    "Rows with symbol, time (epoch ms or RFC 3339), bid and ask; a side that is 0 or left out is as it was",
  );

/** Quotes in, for what is quoted and not traded in the open: bars of their mids. */
export function quoteRoute(routes: RouteGroup, pipeline: Pick<Pipeline, "take" | "now">): void {
  const reading = createQuoteReader(pipeline.now);
  routes.post("/api/ticks/quotes", {
    id: "sendQuotes",
    summary: "Send quotes, of which ticks of the mid are made",
    description:
      "For symbols without trades, such as currencies: their bars have no volume and count quotes. Crossed quotes, and such of " +
      "which one side was never told, make no tick and are refused by that name. The sides are remembered while the server runs, " +
      "but for those of quotes that are older than what is known, or from the future. Idempotency-Key as with trades.",
    access: "trader",
    perMinute: 60_000,
    bodyLimit: 16 * 1_024 * 1_024,
    body: quotesBody,
    answer: receipt,
    errors: ["pipeline_elsewhere", "idempotency_key_reused"],
    async handle({ body, request, principal }) {
      const key = ownKey(principal, idempotencyKeyOf(request));
      const sent = await inSlices(reading(body));
      // Ticks of the same quotes differ by the sides before them.
      const known = key === null ? sent : { ...sent, fingerprint: fingerprintOf(body) };
      const { rejected, held, ...rest } = await pipeline.take(known, QUOTE_SOURCE, key);
      return { ...rest, rejected: [...rejected], held: [...held] };
    },
  });
}

const fingerprintOf = (rows: readonly unknown[]) => sha256("quotes ", JSON.stringify(rows));

interface QuoteRow {
  readonly symbol: string;
  readonly time: number;
  readonly bid: number;
  readonly ask: number;
}

/** Rows between which others have their turn. */
const SLICE = 1_000;

/** Reads quotes, one batch after another: what a side was is remembered between them. */
function createQuoteReader(
  now: () => number,
): (rows: readonly unknown[]) => Generator<undefined, SentTicks, undefined> {
  const spellings = new Spellings();
  const known = new SymbolTable(spellings);
  const mids = new QuoteMids(SYMBOLS);
  const quotes = allocateQuotes(1);

  return function* (rows) {
    const table = new SymbolTable(spellings);
    const ticks = allocateTicks(rows.length);
    const row: number[] = [];
    const refused: RefusedRow[] = [];
    const latest = now() + GUARD_TERMS.aheadMs;
    for (const [index, given] of rows.entries()) {
      if (index % SLICE === SLICE - 1) yield;
      const quote = quoteOf(given, latest);
      if (typeof quote === "string") {
        refused.push({ index, reason: quote });
        continue;
      }
      const place = known.placeOf(quote.symbol);
      if (place === null || place >= SYMBOLS) {
        refused.push({ index, reason: spellings.normalised(quote.symbol) === null ? NO_SYMBOL : NO_ROOM });
        continue;
      }
      quotes.symbol[0] = place;
      quotes.time[0] = quote.time;
      quotes.bid[0] = quote.bid;
      quotes.ask[0] = quote.ask;
      const kind = mids.take(quotes, 0, ticks, row.length);
      if (kind > LOCKED) {
        refused.push({ index, reason: QUOTE_KINDS[kind] });
        continue;
      }
      ticks.symbol[row.length] = table.placeOf(quote.symbol) ?? 0;
      row.push(index);
    }
    const made = firstTicks(ticks, row.length);
    return { symbols: table.symbols, ticks: made, row: Int32Array.from(row), refused };
  };
}

/** A quote, or what is wrong with the row. */
function quoteOf(given: unknown, latest: number): QuoteRow | string {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return "row is not an object";
  const { symbol, time, bid, ask } = given as Record<string, unknown>;
  if (typeof symbol !== "string") return "symbol is not text";
  const timeMs = typeof time === "string" ? instantOfText(time) : time;
  if (typeof timeMs !== "number" || !Number.isFinite(timeMs)) return "time is neither epoch ms nor RFC 3339";
  if (timeMs > latest) return VERDICTS[FROM_THE_FUTURE];
  const sides = [bid ?? 0, ask ?? 0];
  if (!sides.every((side): side is number => typeof side === "number" && Number.isFinite(side))) {
    return "bid and ask are not finite numbers";
  }
  // What says nothing takes no room.
  if (sides.some((side) => side < 0)) return QUOTE_KINDS[NEGATIVE];
  if (sides.every((side) => side === 0)) return QUOTE_KINDS[EMPTY];
  return { symbol, time: timeMs, bid: sides[0], ask: sides[1] };
}

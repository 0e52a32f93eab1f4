import { z } from "zod";
import type { CorporateAction } from "../../core/market/actions.js";
import { dateOf, dayOf } from "../../core/market/day.js";
import { tradingDay } from "../../core/market/session.js";
import type { Actions } from "../../features/candles/actions.js";
import type { Quotes } from "../../features/candles/quotes.js";
import { symbolsText } from "../../features/candles/schema.js";
import type { Instruments } from "../../features/instruments/instruments.js";
import type { KnownInstrument } from "../../features/instruments/store.js";
import { wholeNumberText } from "../../platform/http.js";
import { uuidOf } from "../../platform/uuid.js";
import { exchange } from "./calendar.js";
import { invalid, notFound } from "./errors.js";
import type { DialectGroup } from "./http.js";
import { decimalWire } from "./order-views.js";
import { coinsQuery, locationParams, sharesQuery } from "./schema.js";
import { findInstrument, type Market, marketOf, wireSymbol } from "./symbols.js";
import { rfc3339 } from "./times.js";
import { CONDITIONS, VENUES } from "./venues.js";

export interface MarketFactOptions {
  readonly instruments: Pick<Instruments, "identify" | "resolve" | "list">;
  readonly quotes: Pick<Quotes, "loadMany">;
  readonly actions: Pick<Actions, "load">;
  /** Symbols that are scanned now. */
  readonly universe: () => readonly string[];
  readonly now: () => number;
}

const untold = z.null().describe("No source tells it");
const ACTION_TYPES = ["cash_dividend", "forward_split", "reverse_split"] as const;
const actionsQuery = z.object({
  symbols: symbolsText(100).describe("Shares and funds"),
  types: z.string().max(300).optional().describe("Comma list; of other types nothing is known"),
  start: z.iso.date().optional().describe("First ex-day; today unless given"),
  end: z.iso.date().optional().describe("Last ex-day, included; today unless given"),
  limit: wholeNumberText(1, 1_000).prefault("100"),
  sort: z.enum(["asc", "desc"]).default("asc"),
  page_token: z.string().max(100).optional().describe("next_page_token of the page before"),
});
const actionFields = { id: z.uuid(), symbol: z.string(), ex_date: z.iso.date(), process_date: untold };
const rates = { new_rate: z.number(), old_rate: z.number() };
const actionsAnswer = z
  .object({
    corporate_actions: z.object({
      cash_dividends: z
        .array(
          z.object({
            ...actionFields,
            currency: z.string(),
            rate: z.number(),
            cusip: untold,
            special: untold,
            foreign: untold,
          }),
        )
        .optional(),
      forward_splits: z.array(z.object({ ...actionFields, ...rates, cusip: untold })).optional(),
      reverse_splits: z
        .array(z.object({ ...actionFields, ...rates, old_cusip: untold, new_cusip: untold }))
        .optional(),
    }),
    next_page_token: z.string().nullable(),
  })
  .meta({ id: "AlpacaCorporateActions" });

const texts = z.record(z.string(), z.string());
const conditionParams = z.object({ ticktype: z.enum(["trade", "quote"]) });
const conditionQuery = z.object({ tape: z.enum(["A", "B", "C"]) });

const moverSchema = z.object({
  symbol: z.string(),
  price: z.number(),
  change: z.number(),
  percent_change: z.number(),
});
const moversAnswer = z
  .object({
    market_type: z.enum(["stocks", "crypto"]),
    gainers: z.array(moverSchema),
    losers: z.array(moverSchema),
    last_updated: z.string(),
  })
  .meta({ id: "AlpacaMovers" });
const nothing = z.record(z.string(), z.never());
const announcementsQuery = z.object({
  ca_types: z
    .string()
    .max(100)
    .describe("Of Dividend, Merger, Spinoff and Split; there are none of the others here"),
  since: z.iso.date().describe("First ex-date"),
  until: z.iso.date().describe("Included"),
  symbol: z.string().min(1).max(40).optional().describe("Needed: there is no list of all shares here"),
  date_type: z.string().max(40).optional().describe("Only the ex-date is known"),
});
const announcementsAnswer = z
  .array(
    z.object({
      id: z.string(),
      corporate_action_id: z.string(),
      ca_type: z.enum(["dividend", "split"]),
      ca_sub_type: z.enum(["cash", "stock_split", "reverse_split"]),
      initiating_symbol: z.string(),
      target_symbol: z.string(),
      ex_date: z.iso.date(),
      cash: z.string(),
      old_rate: z.string(),
      new_rate: z.string(),
    }),
  )
  .meta({ id: "AlpacaAnnouncements" });
const activesAnswer = z
  .object({
    most_actives: z.array(z.object({ symbol: z.string(), volume: z.number(), trade_count: untold })),
    last_updated: z.string(),
  })
  .meta({ id: "AlpacaMostActives" });

/** What is known of shares beside their prices, and which of those that are scanned moved most. */
export function marketFactRoutes(routes: DialectGroup, options: MarketFactOptions): void {
  routes.get("/v2/stocks/meta/exchanges", {
    id: "alpacaExchanges",
    summary: "Names of the exchanges by their letters",
    answer: texts,
    handle: () => ({ ...VENUES }),
  });
  routes.get("/v2/stocks/meta/conditions/:ticktype", {
    id: "alpacaConditions",
    summary: "Names of the conditions of sales and quotes by their letters",
    params: conditionParams,
    query: conditionQuery,
    answer: texts,
    handle: ({ params: { ticktype }, query: { tape } }) => ({ ...CONDITIONS[ticktype][tape] }),
  });
  actionRoutes(routes, options);
  untoldRoutes(routes);
  screenerRoutes(routes, options);
}

interface Dated {
  readonly id: string;
  readonly symbol: string;
  readonly action: CorporateAction;
}

const typeOf = (action: CorporateAction) =>
  action.kind === "dividend" ? "cash_dividend" : action.ratio > 1 ? "forward_split" : "reverse_split";

/** What no source here tells: there is nothing of it, as the dialect has it. */
function untoldRoutes(routes: DialectGroup): void {
  routes.get("/v1beta3/crypto/:loc/latest/orderbooks", {
    id: "alpacaLatestOrderbooks",
    summary: "Order books of coins: no source tells any",
    params: locationParams,
    query: coinsQuery,
    answer: z.object({ orderbooks: nothing }).meta({ id: "AlpacaOrderbooks" }),
    handle: () => ({ orderbooks: {} }),
  });
  routes.get("/v2/stocks/auctions", {
    id: "alpacaAuctions",
    summary: "Opening and closing auctions of shares: no source tells any",
    query: sharesQuery,
    answer: z.object({ auctions: nothing, next_page_token: z.null() }).meta({ id: "AlpacaAuctions" }),
    handle: () => ({ auctions: {}, next_page_token: null }),
  });
  routes.get("/v1beta1/options/meta/conditions/:ticktype", {
    id: "alpacaOptionConditions",
    summary: "Names of the conditions of options by their letters: prices here come without any",
    params: conditionParams,
    answer: nothing,
    handle: () => ({}),
  });
}

function actionRoutes(routes: DialectGroup, { instruments, actions, now }: MarketFactOptions): void {
  async function actionsOf(text: string): Promise<Dated[]> {
    const instrument = await findInstrument(instruments, "us_equity", text);
    if (instrument === null) return [];
    const { symbol } = instrument;
    const known = await actions.load(instrument);
    return known.actions.map((action) => ({
      id: uuidOf(`action ${symbol} ${action.kind} ${action.exDay}`),
      symbol,
      action,
    }));
  }

  routes.get("/v2/corporate_actions/announcements", {
    id: "alpacaAnnouncements",
    summary: "The same as corporate-actions in an older shape, of one share by its ex-dates",
    query: announcementsQuery,
    answer: announcementsAnswer,
    async handle({ query: { ca_types: types, since, until, symbol } }) {
      if (symbol === undefined) throw invalid("symbol is required");
      const wanted: ReadonlySet<string> = new Set(types.toLowerCase().split(","));
      const found = (await actionsOf(symbol)).filter(
        ({ action }) =>
          wanted.has(action.kind) && action.exDay >= dayOf(since) && action.exDay <= dayOf(until),
      );
      return found.sort((a, b) => a.action.exDay - b.action.exDay).map(announcementView);
    },
  });
  routes.get("/v1/corporate-actions", {
    id: "alpacaCorporateActions",
    summary: "Splits and dividends in cash by their ex-days",
    query: actionsQuery,
    answer: actionsAnswer,
    async handle({ query: { symbols, types, start, end, limit, sort, page_token: token } }) {
      const today = tradingDay(exchange(), now());
      const [from, to] = [start, end].map((date) => (date === undefined ? today : dayOf(date)));
      const wanted: ReadonlySet<string> = new Set(types?.split(",") ?? ACTION_TYPES);
      const found = (await Promise.all(symbols.map(actionsOf))).flat();
      const within = found.filter(
        ({ action }) => action.exDay >= from && action.exDay <= to && wanted.has(typeOf(action)),
      );
      const way = sort === "asc" ? 1 : -1;
      within.sort((a, b) => way * (a.action.exDay - b.action.exDay) || (a.id < b.id ? -1 : 1));
      const after = token === undefined ? 0 : within.findIndex(({ id }) => id === token) + 1;
      if (token !== undefined && after === 0) throw invalid("invalid page_token");
      const page = within.slice(after, after + limit);
      const isEnd = after + limit >= within.length;
      return { corporate_actions: grouped(page), next_page_token: isEnd ? null : (page.at(-1)?.id ?? null) };
    },
  });
}

function announcementView({ id, symbol, action }: Dated): z.input<typeof announcementsAnswer>[number] {
  const isDividend = action.kind === "dividend";
  const ratio = isDividend ? 1 : action.ratio;
  const rates = ratesOf(ratio);
  return {
    id,
    corporate_action_id: id,
    ca_type: isDividend ? "dividend" : "split",
    ca_sub_type: isDividend ? "cash" : ratio > 1 ? "stock_split" : "reverse_split",
    initiating_symbol: symbol,
    target_symbol: symbol,
    ex_date: dateOf(action.exDay),
    cash: isDividend ? decimalWire(action.amount) : "0",
    old_rate: decimalWire(rates.old_rate),
    new_rate: decimalWire(rates.new_rate),
  };
}

/** By kind; kinds of which there are none are left out. */
function grouped(page: readonly Dated[]): z.input<typeof actionsAnswer>["corporate_actions"] {
  const of = (type: (typeof ACTION_TYPES)[number]) => page.filter(({ action }) => typeOf(action) === type);
  const own = ({ id, symbol, action }: Dated) => ({
    id,
    symbol,
    ex_date: dateOf(action.exDay),
    process_date: null,
  });
  const dividends = of("cash_dividend").flatMap((each) => {
    const { action } = each;
    if (action.kind !== "dividend") return [];
    const { amount: rate, currency } = action;
    return [{ ...own(each), rate, currency, cusip: null, special: null, foreign: null }];
  });
  const split = (each: Dated) => ({
    ...own(each),
    ...ratesOf(each.action.kind === "split" ? each.action.ratio : 1),
  });
  const forward = of("forward_split").map((each) => ({ ...split(each), cusip: null }));
  const reverse = of("reverse_split").map((each) => ({ ...split(each), old_cusip: null, new_cusip: null }));
  return {
    ...(dividends.length === 0 ? {} : { cash_dividends: dividends }),
    ...(forward.length === 0 ? {} : { forward_splits: forward }),
    ...(reverse.length === 0 ? {} : { reverse_splits: reverse }),
  };
}

/** A ratio such as 1.5 as three for two, and 0.05 as one for twenty. */
export function ratesOf(ratio: number) {
  for (let old = 1; old <= 1_000; old++) {
    const fresh = ratio * old;
    if (Math.round(fresh) > 0 && Math.abs(fresh - Math.round(fresh)) < 1e-6 * old) {
      return { new_rate: Math.round(fresh), old_rate: old };
    }
  }
  return { new_rate: ratio, old_rate: 1 };
}

function screenerRoutes(routes: DialectGroup, options: MarketFactOptions): void {
  const { instruments, quotes, universe, now } = options;

  async function scanned(market: Market) {
    const known = await Promise.all(universe().map((symbol) => instruments.resolve(symbol)));
    const wanted: KnownInstrument[] = known.filter((each) => marketOf(each) === market);
    const bySymbol = new Map(wanted.map((each) => [each.symbol, each]));
    const { quotes: found } = await quotes.loadMany(wanted);
    return found.flatMap((quote) => {
      const instrument = bySymbol.get(quote.symbol);
      return instrument === undefined ? [] : [{ quote, name: wireSymbol(instrument) }];
    });
  }

  routes.get("/v1beta1/screener/stocks/most-actives", {
    id: "alpacaMostActives",
    summary: "Of the shares that are scanned, those of which most is traded today",
    query: z.object({
      by: z.enum(["volume", "trades"]).default("volume").describe("No source counts trades"),
      top: wholeNumberText(1, 100).prefault("10").describe("Most shares"),
    }),
    answer: activesAnswer,
    async handle({ query: { by, top } }) {
      if (by === "trades") throw notFound("no source counts trades");
      const rows = (await scanned("us_equity")).flatMap(({ quote, name }) =>
        quote.volume === null ? [] : [{ symbol: name, volume: Math.round(quote.volume), trade_count: null }],
      );
      rows.sort((a, b) => b.volume - a.volume || (a.symbol < b.symbol ? -1 : 1));
      return { most_actives: rows.slice(0, top), last_updated: rfc3339(now()) };
    },
  });
  routes.get("/v1beta1/screener/:market_type/movers", {
    id: "alpacaMovers",
    summary: "Of what is scanned, that which rose and fell most since the close before",
    params: z.object({ market_type: z.enum(["stocks", "crypto"]) }),
    query: z.object({ top: wholeNumberText(1, 50).prefault("10").describe("Most of each") }),
    answer: moversAnswer,
    async handle({ params: { market_type }, query: { top } }) {
      const rows = (await scanned(market_type === "stocks" ? "us_equity" : "crypto")).flatMap(
        ({ quote: { price, change, changePercent }, name }) =>
          change === null || changePercent === null
            ? []
            : [{ symbol: name, price, change, percent_change: changePercent }],
      );
      rows.sort((a, b) => b.percent_change - a.percent_change || (a.symbol < b.symbol ? -1 : 1));
      const gainers = rows.filter(({ change }) => change > 0).slice(0, top);
      const losers = rows
        .filter(({ change }) => change < 0)
        .reverse()
        .slice(0, top);
      return { market_type, gainers, losers, last_updated: rfc3339(now()) };
    },
  });
}

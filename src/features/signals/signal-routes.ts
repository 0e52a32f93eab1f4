import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { type AccountFacts, type RiskLimits, UNKNOWN_ACCOUNT } from "../../core/risk/limits.js";
import { AppError } from "../../platform/errors.js";
import { routeGroup } from "../../platform/http.js";
import { CANDLE_ERRORS, symbolParams } from "../candles/schema.js";
import { entriesOf } from "./entries.js";
import type { HeldPosition } from "./exits.js";
import { recommend } from "./recommend.js";
import { recommendationView } from "./recommend-view.js";
import {
  entryQuery,
  exitQuery,
  exitsSchema,
  manySignalsSchema,
  recommendationSchema,
  recommendQuery,
  signalBody,
  signalQuery,
  symbolSignalsSchema,
} from "./signal-schema.js";
import { exitsView, manySignalsView, symbolSignalsView } from "./signal-views.js";
import type { Signals } from "./signals.js";

/** What somebody allows trades to risk. */
export interface TradeLimits {
  readonly limits: RiskLimits;
  /** Where stop and target of a position are that has none, in percent of its entry. */
  readonly stopPercent: number;
  readonly targetPercent: number;
}

export interface SignalRouteOptions {
  readonly signals: Signals;
  readonly limitsOf: (userId: string) => Promise<TradeLimits>;
  /** The account of a user; null while there is none. */
  readonly accountOf: (userId: string, symbol: string) => Promise<AccountFacts | null>;
  /** Open positions of a user in a symbol. */
  readonly positionsOf: (userId: string, symbol: string) => Promise<readonly HeldPosition[]>;
  readonly now: () => number;
}

const PATH = "/api/signals/entry-exit";

export function signalRoutes(app: FastifyInstance, options: SignalRouteOptions): void {
  const { signals, now } = options;
  const routes = routeGroup(app, { tag: "Signals", access: "viewer", perMinute: 30 });

  routes.get(PATH, {
    id: "getSignals",
    summary: "Trades that can be entered on the newest closed bars of a symbol, and positions to be closed",
    query: signalQuery,
    answer: { data: symbolSignalsSchema },
    errors: CANDLE_ERRORS,
    async handle({ query: { symbol, timeframe, type }, principal }) {
      const reading = await signals.read(symbol, timeframe);
      const { symbol: known } = reading.main.set.instrument;
      const exits =
        type === "entry"
          ? null
          : await signals.exits(known, timeframe, await options.positionsOf(principal.userId, known));
      return { data: symbolSignalsView(reading, type === "exit" ? [] : entriesOf(reading), exits, now()) };
    },
  });
  routes.post(PATH, {
    id: "getSignalsOfMany",
    summary: "Trades that can be entered on the newest closed bars of several symbols",
    perMinute: 20,
    body: signalBody,
    answer: { data: manySignalsSchema },
    errors: CANDLE_ERRORS,
    async handle({ body: { symbols, timeframe, min_confidence: least } }) {
      const { readings, missing } = await signals.readMany(symbols, timeframe);
      const found = readings.map((reading) => ({ reading, entries: entriesOf(reading, least) }));
      return { data: manySignalsView(found, missing, least, now()) };
    },
  });
  routes.get("/api/entry-signals/:symbol", {
    id: "getEntrySignals",
    summary: "Trades that can be entered on the newest closed bars of a symbol",
    params: symbolParams,
    query: entryQuery,
    answer: { data: symbolSignalsSchema },
    errors: CANDLE_ERRORS,
    async handle({ params, query: { timeframe } }) {
      const reading = await signals.read(params.symbol, timeframe);
      return { data: symbolSignalsView(reading, entriesOf(reading), null, now()) };
    },
  });
  routes.get("/api/exit-signals/:symbol", {
    id: "getExitSignals",
    summary: "Reasons to close a position now: one that is described, or the caller's own",
    params: symbolParams,
    query: exitQuery,
    answer: { data: exitsSchema },
    errors: CANDLE_ERRORS,
    async handle({ params: { symbol }, query, principal: { userId } }) {
      const positions =
        query.entry_price === undefined
          ? await ownPositions(query, () => options.positionsOf(userId, symbol))
          : [heldPosition(query, query.entry_price, await options.limitsOf(userId), now())];
      return { data: exitsView(await signals.exits(symbol, query.timeframe, positions), now()) };
    },
  });
  routes.get("/api/recommend/complete", {
    id: "getRecommendation",
    summary: "What to do with a symbol now, why, how much, and at what risk",
    description: "Within the caller's risk settings. Sizes are in percent of the equity where none is known.",
    perMinute: 20,
    query: recommendQuery,
    answer: { data: recommendationSchema },
    errors: CANDLE_ERRORS,
    async handle({ query: { symbol, timeframe, account_size }, principal: { userId } }) {
      const [reading, { limits }] = await Promise.all([
        signals.read(symbol, timeframe),
        options.limitsOf(userId),
      ]);
      const account = await options.accountOf(userId, reading.main.set.instrument.symbol);
      const { equity } = account ?? UNKNOWN_ACCOUNT;
      const known = { ...(account ?? UNKNOWN_ACCOUNT), equity: account_size ?? equity };
      return { data: recommendationView(recommend(reading, limits, known), now()) };
    },
  });
}

type ExitQuery = z.output<typeof exitQuery>;

/** @throws {AppError} `invalid_request` where a position is described in part. */
async function ownPositions(query: ExitQuery, load: () => Promise<readonly HeldPosition[]>) {
  for (const field of ["side", "stop_loss", "take_profit", "quantity", "opened_at"] as const) {
    if (query[field] === undefined) continue;
    throw new AppError("invalid_request", `query ${field}: describes a position together with entry_price`);
  }
  return load();
}

/** @throws {AppError} `invalid_request` for a moment that is yet to come. */
function heldPosition(query: ExitQuery, entry: number, limits: TradeLimits, nowMs: number): HeldPosition {
  const { side: direction = 1, stop_loss, take_profit, quantity = null, opened_at: openedAt = null } = query;
  if (openedAt !== null && openedAt > nowMs) {
    throw new AppError("invalid_request", "query opened_at: is yet to come");
  }
  const { stopPercent, targetPercent } = limits;
  const stop = stop_loss ?? entry * (1 - (direction * stopPercent) / 100);
  const target = take_profit ?? entry * (1 + (direction * targetPercent) / 100);
  return { direction, entry, stop, target, quantity, openedAt };
}

import type { FastifyInstance } from "fastify";
import { routeGroup } from "../../platform/http.js";
import { CANDLE_ERRORS, symbolParams } from "../candles/schema.js";
import { adviceFor, type Callers, heldPosition, heldPositions, ownPositions } from "./callers.js";
import { entriesOf, judgeQuality, LEAST_QUALITY, NO_ENTRIES } from "./entries.js";
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

export interface SignalRouteOptions extends Callers {
  readonly signals: Signals;
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
      const { advice, limits } = await adviceFor(options, principal.userId, reading);
      const held = (known: string) => heldPositions(options, principal.userId, known);
      const exits = type === "entry" ? null : await signals.exits(symbol, timeframe, held);
      const entries = type === "exit" ? NO_ENTRIES : entriesOf(advice, limits);
      return { data: symbolSignalsView(advice, entries, exits, now()) };
    },
  });
  routes.post(PATH, {
    id: "getSignalsOfMany",
    summary: "Trades that can be entered on the newest closed bars of several symbols",
    perMinute: 20,
    body: signalBody,
    answer: { data: manySignalsSchema },
    errors: CANDLE_ERRORS,
    async handle({ body: { symbols, timeframe, min_confidence: least }, principal: { userId } }) {
      const { readings, missing } = await signals.readMany(symbols, timeframe);
      const advised = await Promise.all(readings.map((reading) => adviceFor(options, userId, reading)));
      const found = advised.map(({ advice, limits }) => ({
        advice,
        entries:
          least === undefined
            ? entriesOf(advice, limits, LEAST_QUALITY, judgeQuality)
            : entriesOf(advice, limits, least),
      }));
      return { data: manySignalsView(found, missing, least ?? LEAST_QUALITY, now()) };
    },
  });
  routes.get("/api/entry-signals/:symbol", {
    id: "getEntrySignals",
    summary: "Trades that can be entered on the newest closed bars of a symbol",
    params: symbolParams,
    query: entryQuery,
    answer: { data: symbolSignalsSchema },
    errors: CANDLE_ERRORS,
    async handle({ params, query: { timeframe }, principal }) {
      const reading = await signals.read(params.symbol, timeframe);
      const { advice, limits } = await adviceFor(options, principal.userId, reading);
      return { data: symbolSignalsView(advice, entriesOf(advice, limits), null, now()) };
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
      const held = async (known: string) =>
        query.entry_price === undefined
          ? ownPositions(query, () => heldPositions(options, userId, known))
          : [heldPosition(query, query.entry_price, await options.limitsOf(userId), now())];
      return { data: exitsView(await signals.exits(symbol, query.timeframe, held), now()) };
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
      const reading = await signals.read(symbol, timeframe);
      const { advice } = await adviceFor(options, userId, reading, account_size);
      return { data: recommendationView(advice, now()) };
    },
  });
}

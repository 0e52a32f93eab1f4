import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { dateOf, dayOf } from "../../core/market/day.js";
import { AppError } from "../../platform/errors.js";
import { routeGroup } from "../../platform/http.js";
import { idempotencyKeyOf } from "../../platform/idempotency.js";
import type { Jobs } from "../jobs/jobs.js";
import { orderedSchema } from "../jobs/schema.js";
import type { PaperDesk } from "../paper-trades/feature.js";
import type { AccountRow } from "../paper-trades/store.js";
import type { Performance } from "./feature.js";
import { MOST_DATES, type RollupBackfill, requireDates } from "./rollup-backfill.js";
import {
  aggregateBody,
  aggregatedSchema,
  backfillBody,
  dailySchema,
  rollupMeta,
  rollupQuery,
  strategySchema,
} from "./rollup-schema.js";
import type { DateRange } from "./rollup-store.js";
import { dailyView, runView, strategyView } from "./rollup-views.js";

const USUAL_DAYS = 30;
const ERRORS = ["account_not_found", "trading_halted"] as const;

export interface RollupRouteOptions {
  readonly rollups: Performance;
  readonly rollupKind: RollupBackfill;
  readonly paper: Pick<PaperDesk, "accountOf">;
  readonly jobs: Pick<Jobs, "enqueue">;
}

/** Daily and strategy performance of the caller's accounts. */
export function rollupRoutes(app: FastifyInstance, options: RollupRouteOptions): void {
  makingRoutes(app, options);
  const { rollups, paper } = options;
  const routes = routeGroup(app, { tag: "Performance", access: "viewer", perMinute: 60 });

  async function metaOf(account: AccountRow, range: DateRange): Promise<z.output<typeof rollupMeta>> {
    const { id, rules, synthetic } = account;
    const { zone, hour } = rollups;
    const last_run = runView(await rollups.newestRun(id));
    return { account_id: id, currency: rules.account.currency, ...range, zone, hour, synthetic, last_run };
  }

  routes.get("/api/performance/daily", {
    id: "listDailyPerformance",
    summary: "What the trades of an account that were closed on each date came to",
    description:
      "Dates are those of the exchanges, and ones without an exit have no row. A date is made once it is over; one that was " +
      "asked for before holds what had been closed when it was made.",
    query: z.strictObject(rollupQuery),
    answer: { data: z.array(dailySchema), meta: rollupMeta },
    errors: ERRORS,
    async handle({ query, principal }) {
      const range = rangeOf(query, rollups.today());
      const account = await paper.accountOf(principal.userId, query.account_id);
      const [rows, meta] = await Promise.all([rollups.days(account.id, range), metaOf(account, range)]);
      return { data: rows.map(dailyView), meta };
    },
  });
  routes.get("/api/performance/strategies", {
    id: "listStrategyPerformance",
    summary: "What each strategy did for an account on each date, with the signals it gave",
    query: z.strictObject({
      ...rollupQuery,
      strategy: z.string().min(1).max(60).optional().describe("One strategy alone"),
    }),
    answer: { data: z.array(strategySchema), meta: rollupMeta },
    errors: ERRORS,
    async handle({ query, principal }) {
      const range = rangeOf(query, rollups.today());
      const account = await paper.accountOf(principal.userId, query.account_id);
      const [rows, meta] = await Promise.all([
        rollups.strategies(account.id, range, query.strategy ?? null),
        metaOf(account, range),
      ]);
      return { data: rows.map(strategyView), meta };
    },
  });
}

function makingRoutes(app: FastifyInstance, { rollups, rollupKind, paper, jobs }: RollupRouteOptions): void {
  const routes = routeGroup(app, { tag: "Performance", access: "trader", perMinute: 10 });

  routes.post("/api/performance/aggregate", {
    id: "aggregatePerformance",
    summary: "Make the performance of one date of an account anew",
    description: "However often it is asked for: the same trades give the same rows.",
    body: aggregateBody,
    answer: { data: aggregatedSchema },
    errors: [...ERRORS, "job_limit_exceeded"],
    async handle({ body: { date, account_id }, principal }) {
      const today = rollups.today();
      if (date > today) {
        throw new AppError("invalid_request", `body date: ${date} is yet to come; today is ${today}`);
      }
      const { id } = await paper.accountOf(principal.userId, account_id);
      const end = await rollups.remake("request", { from: date, to: date }, id);
      if (end.failure !== null) throw new AppError("overloaded", end.failure, { retryAfterS: 5 });
      const { dailyRows: daily_rows, strategyRows: strategy_rows } = end;
      return { data: { date, account_id: id, daily_rows, strategy_rows } };
    },
  });
  routes.post("/api/performance/backfill", {
    id: "backfillPerformance",
    summary: "Order that the performance of a range of dates of an account is made anew",
    description:
      `Of the usual account unless account_id names another. At most ${MOST_DATES} dates. The header Idempotency-Key, 1 to 255 visible characters, makes a repeated order ` +
      "the same job.",
    status: 202,
    body: backfillBody,
    answer: orderedSchema.shape,
    errors: [...ERRORS, "job_limit_exceeded", "idempotency_key_reused"],
    async handle({ body: { start_date, end_date, account_id }, principal, request, reply }) {
      requireDates(start_date, end_date, rollups.today());
      const account = await paper.accountOf(principal.userId, account_id);
      const order = { start_date, end_date, account_id: account.id };
      const job = await jobs.enqueue(principal, rollupKind, order, idempotencyKeyOf(request));
      const href = `/api/jobs/${job.id}`;
      void reply.header("location", href);
      return { id: job.id, status: job.status, href };
    },
  });
}

/** @throws {AppError} `invalid_request` for dates in the wrong order, or for more than ten years. */
function rangeOf(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  today: string,
): DateRange {
  const last = to ?? today;
  const first = from ?? dateOf(dayOf(last) - USUAL_DAYS);
  if (first > last) throw new AppError("invalid_request", "query from: lies after to");
  if (dayOf(last) - dayOf(first) >= MOST_DATES) {
    throw new AppError("invalid_request", `query from: at most ${MOST_DATES} dates are given at once`);
  }
  return { from: first, to: last };
}

import { z } from "zod";
import { dayOf } from "../../core/market/day.js";
import { AppError } from "../../platform/errors.js";
import { defineJob, type JobKind } from "../../platform/jobs.js";
import type { Performance } from "./feature.js";

/** Dates of one order. */
export const MOST_DATES = 3_660;
const ATTEMPTS = 3;
const TIMEOUT_MS = 3_600_000;

const input = z.strictObject({
  start_date: z.iso.date(),
  end_date: z.iso.date().describe("Included"),
  account_id: z.uuid().optional().describe("One account; all of the market without it"),
});
export type RollupOrder = z.output<typeof input>;

const result = z.object({
  start_date: z.iso.date(),
  end_date: z.iso.date(),
  accounts: z.number().int(),
  daily_rows: z.number().int(),
  strategy_rows: z.number().int(),
});

export type RollupBackfill = JobKind<RollupOrder, null, z.output<typeof result>>;

/** Makes the roll-ups of a range of dates anew. */
export function createRollupBackfill(performance: Pick<Performance, "remake" | "today">): RollupBackfill {
  return defineJob({
    kind: "performance.backfill",
    summary: "Order that daily and strategy performance of a range of dates is made anew",
    description: `Of all accounts, or of one. At most ${MOST_DATES} dates; the same trades give the same rows.`,
    access: "admin",
    input,
    checkpoint: z.null(),
    result,
    attempts: ATTEMPTS,
    timeoutMs: TIMEOUT_MS,
    check(order) {
      requireDates(order.start_date, order.end_date, performance.today());
      return order;
    },
    async run({ start_date, end_date, account_id }, { signal, report }) {
      const onAccount = (done: number, total: number) => report("accounts", done, total);
      const range = { from: start_date, to: end_date };
      const end = await performance.remake("backfill", range, account_id ?? null, { signal, onAccount });
      if (end.failure !== null) throw new AppError("overloaded", end.failure, { retryAfterS: 30 });
      const { accounts, dailyRows: daily_rows, strategyRows: strategy_rows } = end;
      return { start_date, end_date, accounts, daily_rows, strategy_rows };
    },
  });
}

/** @throws {AppError} `invalid_request` for dates in the wrong order or yet to come, `job_limit_exceeded` for too many. */
export function requireDates(from: string, to: string, today: string): void {
  if (from > to) throw new AppError("invalid_request", "body start_date: lies after end_date");
  if (to > today)
    throw new AppError("invalid_request", `body end_date: ${to} is yet to come; today is ${today}`);
  const count = dayOf(to) - dayOf(from) + 1;
  if (count > MOST_DATES) {
    throw new AppError("job_limit_exceeded", `body start_date: ${count} dates are more than ${MOST_DATES}`);
  }
}

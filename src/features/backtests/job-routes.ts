import type { FastifyInstance } from "fastify";
import { routeGroup } from "../../platform/http.js";
import { idempotencyKeyOf } from "../../platform/idempotency.js";
import type { Jobs } from "../jobs/jobs.js";
import { orderedSchema } from "../jobs/schema.js";
import type { BacktestKinds } from "./feature.js";

/** What an order is refused for that names an account and a kept run. */
const RECONCILE_ERRORS = ["account_not_found", "backtest_not_found", "symbol_unknown"] as const;

/** Long runs under the addresses of backtests: the same orders as those of the kinds of job. */
export function backtestJobRoutes(
  app: FastifyInstance,
  { jobs, kinds }: { jobs: Pick<Jobs, "enqueue">; kinds: BacktestKinds },
): void {
  const routes = routeGroup(app, { tag: "Backtests", access: "trader", perMinute: 30 });
  const orders = [
    ["/api/backtest/run", "runLongBacktest", kinds.run],
    ["/api/backtest/walk-forward", "walkForward", kinds.walkForward],
    ["/api/backtest/sweep", "sweepParameters", kinds.sweep],
    ["/api/backtest/compare", "compareStrategies", kinds.compare],
    ["/api/backtest/regression", "testRegression", kinds.regression],
    ["/api/backtest/reconcile", "reconcileBacktest", kinds.reconcile],
  ] as const;
  for (const [path, id, kind] of orders) {
    routes.post(path, {
      id,
      summary: kind.summary,
      description: `${kind.description ?? ""} A job: /api/jobs/:id tells how far it is, and its result where the report is kept.`,
      access: kind.access,
      status: 202,
      body: kind.input,
      answer: orderedSchema.shape,
      errors: [
        "strategy_unknown",
        "strategy_unfit",
        "pattern_unknown",
        "symbol_invalid",
        ...(kind === kinds.reconcile ? RECONCILE_ERRORS : []),
        "job_limit_exceeded",
        "idempotency_key_reused",
      ],
      async handle({ principal, body, request, reply }) {
        const job = await jobs.enqueue(principal, kind, body, idempotencyKeyOf(request));
        const href = `/api/jobs/${job.id}`;
        void reply.header("location", href);
        return { id: job.id, status: job.status, href, ...(job.synthetic ? { synthetic: true } : {}) };
      },
    });
  }
}

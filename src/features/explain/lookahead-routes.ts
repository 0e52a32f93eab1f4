import type { FastifyInstance } from "fastify";
import { routeGroup } from "../../platform/http.js";
import { idempotencyKeyOf } from "../../platform/idempotency.js";
import type { Jobs } from "../jobs/jobs.js";
import { orderedSchema } from "../jobs/schema.js";
import type { LookaheadJob } from "./lookahead.js";

export interface LookaheadRouteOptions {
  readonly jobs: Pick<Jobs, "enqueue">;
  readonly kind: LookaheadJob;
}

/** POST /api/analysis/lookahead: the same order as that of the kind of job. */
export function lookaheadRoutes(app: FastifyInstance, { jobs, kind }: LookaheadRouteOptions): void {
  const routes = routeGroup(app, { tag: "Analysis", access: kind.access, perMinute: 30 });
  routes.post("/api/analysis/lookahead", {
    id: "testLookahead",
    summary: kind.summary,
    ...(kind.description === undefined ? {} : { description: kind.description }),
    status: 202,
    body: kind.input,
    answer: orderedSchema.shape,
    errors: [
      "symbol_invalid",
      "symbol_unknown",
      "pattern_unknown",
      "strategy_unknown",
      "job_limit_exceeded",
      "idempotency_key_reused",
    ],
    async handle({ principal, body, request, reply }) {
      const ordered = await jobs.enqueue(principal, kind, body, idempotencyKeyOf(request));
      const href = `/api/jobs/${ordered.id}`;
      void reply.header("location", href);
      return { id: ordered.id, status: ordered.status, href };
    },
  });
}

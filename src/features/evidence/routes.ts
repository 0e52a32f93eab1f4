import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { routeGroup } from "../../platform/http.js";
import { jobView } from "../../platform/jobs.js";
import { jobSchema } from "../jobs/schema.js";
import type { Evidence } from "./evidence.js";
import { evidenceQuery, evidenceSchema, runSchema } from "./schema.js";
import { evidenceView, runView } from "./views.js";

const RECOMPUTE = "POST /api/patterns/evidence/recompute";

export function evidenceRoutes(app: FastifyInstance, { evidence }: { evidence: Evidence }): void {
  const routes = routeGroup(app, { tag: "Patterns", access: "viewer", perMinute: 60 });
  routes.get("/api/patterns/evidence", {
    id: "listEvidence",
    summary: "What was measured of patterns over stored history, by interval and market regime",
    query: evidenceQuery,
    answer: {
      data: z.array(evidenceSchema),
      total: z.number().int().describe("Rows that pass the filter"),
      run: runSchema.nullable().describe("Null before the first run"),
      reason: z.string().nullable().describe("Why there is nothing yet"),
      recompute: z.string().describe("How to have it measured anew"),
    },
    errors: ["pattern_unknown"],
    async handle({ query: { min_n, limit, offset, ...filter } }) {
      const { run, rows } = await evidence.list({ ...filter, leastN: min_n });
      return {
        data: rows.slice(offset, offset + limit).map(evidenceView),
        total: rows.length,
        run: run === null ? null : runView(run),
        reason: run === null ? `Nothing has been measured yet: ${RECOMPUTE}` : null,
        recompute: RECOMPUTE,
      };
    },
  });
  routes.post("/api/patterns/evidence/recompute", {
    id: "recomputeEvidence",
    summary: "Order that the evidence of all patterns is measured anew",
    description: "Answers with the job that waits or runs already, whoever ordered it.",
    access: "trader",
    perMinute: 10,
    status: 202,
    answer: { data: jobSchema, href: z.string() },
    errors: ["job_limit_exceeded"],
    async handle({ principal, reply }) {
      const job = await evidence.recompute(principal);
      const href = `/api/jobs/${job.id}`;
      void reply.header("location", href);
      return { data: jobView(job), href };
    },
  });
}

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { routeGroup } from "../../platform/http.js";
import type { Quality } from "./quality.js";
import { checkSchema, issueSchema, issuesQuery, reportSchema, stateBody } from "./schema.js";
import { foundView, issueView, reportView, stateOf } from "./views.js";

export function qualityRoutes(app: FastifyInstance, { quality }: { quality: Quality }): void {
  const routes = routeGroup(app, { tag: "Data quality", access: "viewer", perMinute: 30 });
  routes.get("/api/data-quality", {
    id: "getDataQuality",
    summary: "What is wrong with the data and their sources",
    answer: { data: reportSchema },
    async handle() {
      return { data: reportView(await quality.report()) };
    },
  });
  routes.get("/api/data-quality/issues", {
    id: "getDataIssues",
    summary: "Kept issues, the newest first",
    query: issuesQuery,
    answer: { data: z.array(issueSchema), next: z.string().nullable().describe("Value of before") },
    async handle({ query: { severity, symbol, limit, before } }) {
      const [lastSeenMs, id] = (before ?? "").split("-").map(Number);
      const found = await quality.list({
        severity: severity ?? null,
        subject: symbol ?? null,
        before: before === undefined ? null : { lastSeenMs, id },
        limit,
      });
      const last = found.length < limit ? undefined : found.at(-1);
      const next = last === undefined ? null : `${last.lastSeenMs}-${last.id}`;
      return { data: found.map(issueView), next };
    },
  });
  routes.post("/api/data-quality/check", {
    id: "checkDataQuality",
    summary: "Look at a market state that a desk has",
    body: stateBody,
    answer: { data: checkSchema },
    errors: ["symbol_invalid", "symbol_unknown", "provider_unavailable"],
    async handle({ body }) {
      const { symbol, issues, band, bandProblem, live } = await quality.check(stateOf(body));
      return {
        data: {
          symbol,
          ok: issues.every(({ severity }) => severity !== "critical"),
          issues: issues.map(foundView),
          band: band === null ? null : { low: band.low, high: band.high, closes: band.from },
          band_problem: bandProblem,
          exchange_open: live,
        },
      };
    },
  });
}

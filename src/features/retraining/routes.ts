import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { routeGroup } from "../../platform/http.js";
import { jobView } from "../../platform/jobs.js";
import { jobSchema } from "../jobs/schema.js";
import { exportSchema } from "../models/exchange.js";
import { versionSchema } from "../models/schema.js";
import { versionView } from "../models/views.js";
import type { Retraining } from "./feature.js";

const IMPORT_BYTES = 16 << 20;

/** Training by order, and models from elsewhere. */
export function trainingRoutes(app: FastifyInstance, { retraining }: { retraining: Retraining }): void {
  const routes = routeGroup(app, { tag: "Models", access: "admin", perMinute: 10 });
  routes.post("/api/ml/train", {
    id: "trainModels",
    summary: "Order that models are trained on what is stored",
    description:
      "Answers with the job of the same order that waits or runs already, whoever ordered it. While one of another order " +
      "does, it is refused.",
    status: 202,
    body: retraining.kind.input,
    answer: {
      data: jobSchema,
      href: z.string(),
      events: z.string().describe("Progress as server-sent events"),
    },
    errors: ["job_limit_exceeded", "conflict"],
    async handle({ principal, reply, body }) {
      const job = await retraining.order(principal, body);
      const href = `/api/jobs/${job.id}`;
      void reply.header("location", href);
      return { data: jobView(job), href, events: `${href}/events` };
    },
  });
  routes.post("/api/ml/import", {
    id: "importModel",
    summary: "Take in an exported version as a candidate, and order that it is tried",
    description:
      "The body is an answer of the export. What does not have the hash, feature schema, shape or order of columns that it " +
      "says, or that this server has, is refused, as is what was taken back here. It serves once the rules of promotion pass it: on decisions that are stored " +
      "here and came after all it says it learned from, or, for nets and agents, on what is drawn to try it.",
    status: 202,
    bodyLimit: IMPORT_BYTES,
    body: z.object({ data: exportSchema }),
    answer: { data: versionSchema, job: jobSchema, href: z.string() },
    errors: ["model_refused", "promotion_refused", "no_data", "job_limit_exceeded"],
    async handle({ principal, body, reply }) {
      const { version, job } = await retraining.takeIn(principal, body.data);
      const href = `/api/jobs/${job.id}`;
      void reply.header("location", href);
      return { data: versionView(version), job: jobView(job), href };
    },
  });
}

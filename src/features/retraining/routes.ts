import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { routeGroup } from "../../platform/http.js";
import { jobView } from "../../platform/jobs.js";
import { jobSchema } from "../jobs/schema.js";
import type { Retraining } from "./feature.js";

/** Training by order. */
export function trainingRoutes(app: FastifyInstance, { retraining }: { retraining: Retraining }): void {
  const routes = routeGroup(app, { tag: "Models", access: "admin", perMinute: 10 });
  routes.post("/api/ml/train", {
    id: "trainModels",
    summary: "Order that models are trained on what is stored",
    description: "Answers with the job that waits or runs already, whoever ordered it.",
    status: 202,
    body: retraining.kind.input,
    answer: {
      data: jobSchema,
      href: z.string(),
      events: z.string().describe("Progress as server-sent events"),
    },
    errors: ["job_limit_exceeded"],
    async handle({ principal, reply, body }) {
      const job = await retraining.order(principal, body);
      const href = `/api/jobs/${job.id}`;
      void reply.header("location", href);
      return { data: jobView(job), href, events: `${href}/events` };
    },
  });
}

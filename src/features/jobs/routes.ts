import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { AppError } from "../../platform/errors.js";
import { problemResponses, type RouteGroup, routeGroup } from "../../platform/http.js";
import { idempotencyKeyOf } from "../../platform/idempotency.js";
import { type JobKind, type JobState, jobView } from "../../platform/jobs.js";
import { type JobEventOptions, jobEventRoute } from "./event-route.js";
import type { Jobs } from "./jobs.js";
import { jobParams, jobSchema, jobsQuery, orderedSchema } from "./schema.js";

export interface JobRouteOptions extends JobEventOptions {
  readonly jobs: Jobs;
}

export function jobRoutes(app: FastifyInstance, options: JobRouteOptions): void {
  const { jobs } = options;
  const routes = routeGroup(app, { tag: "Jobs", access: "viewer", perMinute: 120 });
  for (const kind of jobs.kinds) orderRoute(routes, jobs, kind);
  unknownKindRoute(app, jobs);
  jobEventRoute(app, options);

  routes.get("/api/jobs", {
    id: "listJobs",
    summary: "The caller's jobs, newest first; everybody's for an admin",
    query: jobsQuery,
    answer: { data: z.array(jobSchema), next: z.number().int().nullable().describe("Value of before") },
    async handle({ principal, query: { limit, ...filter } }) {
      const rows = await jobs.list(principal, filter, limit);
      return { data: rows.map(jobView), next: rows.length < limit ? null : (rows.at(-1)?.id ?? null) };
    },
  });
  routes.get("/api/jobs/:id", {
    id: "getJob",
    summary: "How far a job is",
    params: jobParams,
    answer: { data: jobSchema },
    errors: ["job_not_found"],
    handle: async ({ principal, params }) => jobAnswer((await jobs.get(principal, params.id)).job),
  });
  routes.get("/api/jobs/:id/result", {
    id: "getJobResult",
    summary: "What a job that has succeeded found",
    params: jobParams,
    answer: { data: z.unknown().describe("As the kind says"), kind: z.string() },
    errors: ["job_not_found", "job_result_absent"],
    async handle({ principal, params }) {
      const { job, result } = await jobs.result(principal, params.id);
      return { data: result, kind: job.kind, ...labelOf(job) };
    },
  });
  routes.post("/api/jobs/:id/cancel", {
    id: "cancelJob",
    summary: "End a job that waits or runs",
    description:
      "What runs ends within two seconds. A job that was cancelled may be cancelled again; one that has succeeded or failed is refused.",
    access: "trader",
    params: jobParams,
    status: 202,
    answer: { data: jobSchema },
    errors: ["job_not_found", "conflict"],
    handle: async ({ principal, params }) => jobAnswer(await jobs.cancel(principal, params.id)),
  });
}

/** Not false: what the server says of its own market stands where a job adds nothing. */
const labelOf = ({ synthetic }: JobState) => (synthetic ? { synthetic } : {});

const jobAnswer = (job: JobState) => ({ data: jobView(job), ...labelOf(job) });

function orderRoute(routes: RouteGroup, jobs: Jobs, kind: JobKind): void {
  const name = kind.kind.replace(/(^|[-.])([a-z])/g, (_, _mark, letter: string) => letter.toUpperCase());
  routes.post(`/api/jobs/${kind.kind}`, {
    id: `order${name}`,
    summary: kind.summary,
    description: [
      kind.description,
      "The header Idempotency-Key, 1 to 255 visible characters, makes a repeated order the same job.",
    ].join(" "),
    access: kind.access,
    perMinute: 30,
    status: 202,
    body: kind.input,
    answer: orderedSchema.shape,
    errors: [
      "symbol_invalid",
      "symbol_unknown",
      "interval_unavailable",
      "job_limit_exceeded",
      "idempotency_key_reused",
    ],
    async handle({ principal, body, request, reply }) {
      const job = await jobs.enqueue(principal, kind, body, idempotencyKeyOf(request));
      const href = `/api/jobs/${job.id}`;
      void reply.header("location", href);
      return { id: job.id, status: job.status, href, ...labelOf(job) };
    },
  });
}

const UNKNOWN_KIND = {
  operationId: "refuseJob",
  tags: ["Jobs"],
  summary: "What orders of any other kind are answered with",
  params: z.strictObject({ id: z.string().max(100).describe("None of the kinds above") }),
  querystring: z.strictObject({}),
  response: problemResponses([
    ...(["invalid_request", "unauthenticated", "forbidden", "origin_refused", "job_kind_unknown"] as const),
    ...(["body_too_large", "uri_too_long", "unsupported_media_type", "rate_limited"] as const),
    ...(["internal", "timed_out", "shutting_down", "database_unavailable"] as const),
  ]),
  security: [{ bearer: [] }, { apiKey: [] }],
};

function unknownKindRoute(app: FastifyInstance, jobs: Jobs): void {
  // Named as in the routes of one job: paths that differ in a name alone are the same to the document.
  app.post<{ Params: { id: string } }>(
    "/api/jobs/:id",
    { schema: UNKNOWN_KIND, config: { access: "trader", perMinute: 30 } },
    ({ params }) => {
      const known = jobs.kinds.map(({ kind }) => kind).join(", ");
      throw new AppError("job_kind_unknown", `${params.id} is no kind of job; kinds are ${known}`);
    },
  );
}

import { z } from "zod";
import { wholeNumberText } from "../../platform/http.js";
import { JOB_STATUSES, type JobView } from "../../platform/jobs.js";

const time = z.iso.datetime();

export const jobSchema = z
  .object({
    id: z.number().int(),
    kind: z.string(),
    status: z.enum(JOB_STATUSES),
    synthetic: z.boolean().describe("Whether it ran on a synthetic market, or waits for one"),
    phase: z.string().nullable().describe("What it is at, in words of the kind"),
    done: z.number().describe("Work done, in units of the kind"),
    total: z.number().nullable().describe("Work in all; null while nobody knows"),
    pct: z.number().min(0).max(100).nullable().describe("100 only once it has succeeded"),
    eta_s: z.number().nullable().describe("Seconds that are left at the rate so far"),
    attempts: z.number().int(),
    max_attempts: z.number().int(),
    cancel_requested: z.boolean(),
    created_at: time,
    started_at: time.nullable(),
    heartbeat_at: time.nullable(),
    finished_at: time.nullable(),
    result_href: z.string().nullable(),
    error: z.string().nullable().describe("Why it failed, or why its last attempt ended"),
  })
  .meta({ id: "Job" }) satisfies z.ZodType<unknown, JobView>;

export const orderedSchema = z
  .object({
    id: z.number().int(),
    status: z.enum(JOB_STATUSES).describe("queued, or how far an earlier order of the same key has come"),
    href: z.string(),
  })
  .meta({ id: "JobOrdered" });

export const jobParams = z.strictObject({ id: wholeNumberText(1, Number.MAX_SAFE_INTEGER) });

export const jobsQuery = z.strictObject({
  limit: wholeNumberText(1, 200).default(50),
  before: wholeNumberText(1, Number.MAX_SAFE_INTEGER).optional().describe("Only jobs with an id below this"),
  kind: z.string().max(40).optional().describe("Only jobs of this kind"),
  status: z.enum(JOB_STATUSES).optional(),
});

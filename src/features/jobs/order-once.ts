import type { Principal } from "../../platform/http.js";
import type { JobState } from "../../platform/jobs.js";
import type { Jobs, OrderedKind } from "./jobs.js";

/** Sees the jobs of everybody. */
const EVERYBODY: Principal = { userId: "everybody", role: "admin", anonymous: true };

/** The job of a kind that runs or waits, whoever ordered it, else a new one. @throws {AppError} as `Jobs.enqueue` does. */
export async function orderOnce<I>(
  jobs: Pick<Jobs, "enqueue" | "list">,
  principal: Principal,
  kind: OrderedKind<I>,
  input: I,
): Promise<JobState> {
  for (const status of ["running", "queued"] as const) {
    const [open] = await jobs.list(EVERYBODY, { kind: kind.kind, status }, 1);
    if (open !== undefined) return open;
  }
  return jobs.enqueue(principal, kind, input, null);
}

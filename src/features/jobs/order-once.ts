import { AppError } from "../../platform/errors.js";
import type { Principal } from "../../platform/http.js";
import type { JobState } from "../../platform/jobs.js";
import type { Jobs, OrderedKind } from "./jobs.js";

/** Sees the jobs of everybody. */
const EVERYBODY: Principal = { userId: "everybody", role: "admin", anonymous: true };

const OPEN = ["running", "queued"] as const;

/**
 * The job of the same order that runs or waits, whoever ordered it, else a new one.
 * @throws {AppError} `conflict` while one of another order runs or waits; as `Jobs.enqueue` does.
 */
export async function orderOnce<I>(
  jobs: Pick<Jobs, "enqueue" | "list">,
  principal: Principal,
  kind: OrderedKind<I>,
  input: I,
): Promise<JobState> {
  for (const status of OPEN) {
    const [same] = await jobs.list(EVERYBODY, { kind: kind.kind, status, input }, 1);
    if (same !== undefined) return same;
  }
  for (const status of OPEN) {
    const [other] = await jobs.list(EVERYBODY, { kind: kind.kind, status }, 1);
    if (other === undefined) continue;
    const problem = `Job ${other.id}, of another order of this kind, is ${status}: order again once it has ended`;
    throw new AppError("conflict", problem);
  }
  return jobs.enqueue(principal, kind, input, null);
}

import type { Verdict } from "../../core/learning/governance.js";
import type { Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import type { Audit, ModelStatus, ModelStore, ModelVersion, NewModel, TakenBack } from "./store.js";
import { MODEL_TOPIC } from "./topics.js";

/** What a candidate was compared with. */
export interface Compared {
  /** Id of the version that was active then; null for none. */
  readonly active: number | null;
  /** The version that it was compared with: what served then. Null where it was compared with none. */
  readonly with: string | null;
}

/** What becomes of a candidate that passes: a shadow, or active in the place of what it was compared with. */
export type Rival = "shadow" | Compared;

/** Steps of a change, each within the transaction that it is given. */
export function createSteps({
  store,
  eventLog,
}: {
  readonly store: ModelStore;
  readonly eventLog: Pick<EventLog, "append">;
}) {
  function tell(sql: Sql, kind: string, model: ModelVersion) {
    const { id, version, learner, assetClass, interval, grouping, hash } = model;
    const payload = {
      kind,
      model: { id, version, learner, asset_class: assetClass, interval, grouping, hash },
    };
    return eventLog.append(sql, [{ topic: MODEL_TOPIC, payload }]);
  }

  async function activate(sql: Sql, version: ModelVersion, audit: Omit<Audit, "action">): Promise<void> {
    const active = await store.active(version, sql);
    if (active !== null) {
      const retiring: Audit = { ...audit, action: "retired", reason: `${version.version} takes its place` };
      await store.move(sql, active, "retired", retiring);
    }
    await store.move(sql, version, "active", { ...audit, action: "promoted" });
    await tell(sql, "promoted", version);
  }

  async function admit(sql: Sql, model: NewModel, audit: Audit): Promise<ModelVersion> {
    await store.lock(sql, model);
    return store.add(sql, model, audit);
  }

  async function judge(
    sql: Sql,
    version: ModelVersion,
    verdict: Verdict,
    actor: string,
    rival: Rival,
  ): Promise<ModelVersion> {
    await store.lock(sql, version);
    const numbers = { checks: verdict.checks };
    const refusal = verdict.promoted
      ? refusalOf(await store.takenBack(version, sql))
      : `rule ${verdict.refusedBy}`;
    if (refusal !== null) {
      await store.move(sql, version, "refused", { action: "refused", actor, reason: refusal, numbers });
      await tell(sql, "refused", version);
      return { ...version, status: "refused" };
    }
    const active = await store.active(version, sql);
    if (active !== null && rival !== "shadow" && rival.active !== active.id) throw otherIsActive(active);
    const reason = "all rules of promotion passed";
    await store.move(sql, version, "shadow", { action: "shadowed", actor, reason, numbers });
    const shadow: ModelVersion = { ...version, status: "shadow" };
    if (active !== null && rival === "shadow") {
      await tell(sql, "shadowed", version);
      return shadow;
    }
    const before = rival === "shadow" ? NONE_BEFORE : beforeOf(active, rival, verdict);
    await activate(sql, shadow, { actor, reason: `${reason}; ${before}`, numbers });
    return { ...version, status: "active" };
  }

  return { tell, activate, admit, judge };
}

/** The rule that refused a version, or that its bytes were taken back before; null for one that was not refused. */
export function refusedByOf(status: ModelStatus, { refusedBy }: Pick<Verdict, "refusedBy">): string | null {
  return status === "refused" ? (refusedBy ?? "taken_back_before") : null;
}

const NONE_BEFORE = "none was active";

/** How a candidate stands to the version that it takes the place of, as far as its verdict says so. */
function beforeOf(active: ModelVersion | null, { with: other }: Compared, { checks }: Verdict): string {
  if (active === null) return NONE_BEFORE;
  const made = checks.some(({ rule, value }) => rule === "not_worse_than_active" && value !== null);
  return made && other !== null ? `not worse than ${other}` : `not compared with ${active.version}`;
}

const refusalOf = (taken: TakenBack | null) => (taken === null ? null : takenText(taken));

export function takenText({ version, reason }: TakenBack): string {
  return `the same bytes were taken back as version ${version}: ${reason}`;
}

/** What was decided was decided of another version than the active one. */
export function otherIsActive(active: ModelVersion | null): AppError {
  const found = active === null ? "none is active" : `version ${active.version} is active`;
  return new AppError("conflict", `By now ${found}, and it was decided of another`);
}

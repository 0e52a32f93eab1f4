import { WeightsRefused } from "../../core/learning/define.js";
import type { Verdict } from "../../core/learning/governance.js";
import type { Database, Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import type { Log } from "../../platform/log.js";
import { sha256 } from "../../platform/sha256.js";
import { createSteps, otherIsActive, type Rival, takenText } from "./steps.js";
import type {
  Audit,
  ModelFilter,
  ModelStatus,
  ModelStore,
  ModelVersion,
  NewModel,
  Purpose,
} from "./store.js";

/** A version with its artefact, checked and read. */
export interface OpenVersion<Opened> {
  readonly version: ModelVersion;
  readonly opened: Opened;
}

/** A stored version that cannot be used, and what serves in its place. */
export interface RefusedVersion {
  readonly purpose: Purpose;
  readonly version: string;
  readonly reason: string;
  /** Version that serves instead; null where none does. */
  readonly servedBy: string | null;
}

/** What is needed to read the artefact of a version. */
export type ArtefactOf = Pick<
  ModelVersion,
  "id" | "version" | "hash" | "learner" | "featureSchema" | "columns"
>;

/** Versions of models: immutable, one active for each purpose, each change with its reason and numbers. */
export interface Registry<Opened> {
  /** The version that serves: the active one, or the one before it where that cannot be read. Null for none. */
  serving(purpose: Purpose): OpenVersion<Opened> | null;
  /** All that serve. */
  allServing(): readonly OpenVersion<Opened>[];
  /** Shadows, which score beside what serves. */
  shadows(): readonly OpenVersion<Opened>[];
  /** Active versions that cannot be read. */
  refused(): readonly RefusedVersion[];
  /** Reads anew what is active, and what of it was altered since. */
  refresh(): Promise<void>;
  /** Reads one version. @throws {AppError} `model_refused` where it is not what was stored. */
  open<V extends ArtefactOf>(version: V): Promise<{ readonly version: V; readonly opened: Opened }>;
  /**
   * Adds a candidate and moves it on by its verdict: active where there is no active version, a shadow where there is
   * one, refused where a rule refuses or where what did the same was taken back. All of it or nothing.
   * @param rival what becomes of one that passes beside an active version: a shadow until live decisions tell the two
   * apart, or active at once where none ever will, and it was compared with the one that still is.
   * @throws {AppError} `conflict` where another version is active than it was compared with.
   */
  enter(model: NewModel, verdict: Verdict, audit: Audit, rival?: Rival): Promise<ModelVersion>;
  /** Adds a candidate that the rules of promotion have not tried. */
  admit(model: NewModel, audit: Audit): Promise<ModelVersion>;
  /**
   * Moves a candidate that was admitted on by its verdict, as `enter` does.
   * @param rival as of `enter`.
   * @throws {AppError} `conflict` where it is no candidate any more, and as `enter`.
   */
  judge(candidate: ModelVersion, verdict: Verdict, actor: string, rival?: Rival): Promise<ModelVersion>;
  /**
   * Makes a shadow, or a version that was active before, the active one; the one before retires. What was measured of
   * both joins the numbers of the audit.
   * @param terms `against` is the id of the active version that it was found better than, null for none; whatever is
   * active without it. `force` takes what was taken back.
   * @throws {AppError} `model_not_found`, `promotion_refused` for one that rules refuse or that was taken back,
   * `model_refused`, `conflict` where another version is active than it was compared with.
   */
  promote(
    purpose: Purpose,
    version: string,
    audit: Omit<Audit, "action">,
    terms?: { readonly against?: number | null; readonly force?: boolean },
  ): Promise<ModelVersion>;
  /** Makes a shadow one that is not used. @throws {AppError} `conflict`. */
  refuse(version: ModelVersion, audit: Omit<Audit, "action">): Promise<void>;
  /**
   * Takes the active version back: the one before it serves again, or none. What was measured of both joins the numbers
   * of the audit.
   * @param judged id of the version that is to be taken back; the one that is active without it.
   * @returns what serves now. @throws {AppError} `model_not_found` where none is active, `conflict` where another is by
   * the time that it would be taken back.
   */
  rollBack(purpose: Purpose, audit: Omit<Audit, "action">, judged?: number): Promise<ModelVersion | null>;
  /** Newest first. */
  list(filter: ModelFilter, limit: number): Promise<ModelVersion[]>;
}

export interface RegistryOptions<Opened> {
  readonly store: ModelStore;
  readonly database: Pick<Database, "transaction">;
  readonly eventLog: EventLog;
  readonly log: Log;
  /** Reads an artefact. @throws {WeightsRefused} */
  readonly open: (version: ArtefactOf, artefact: Uint8Array) => Opened;
}

const keyOf = ({ learner, assetClass, interval, grouping }: Purpose) =>
  [learner, assetClass, interval, grouping].join("|");
const MOST_VERSIONS = 1_000;
const PROMOTABLE: readonly ModelStatus[] = ["active", "shadow", "retired"];

/** What is read of versions that serve or stand beside. */
interface Readings<Opened> {
  readonly serving: ReadonlyMap<string, OpenVersion<Opened>>;
  readonly shadows: readonly OpenVersion<Opened>[];
  readonly refused: readonly RefusedVersion[];
}

/** Reads artefacts, each once while it is not altered, and refuses those that are not what was stored. */
function createReader<Opened>({ store, log, open: read }: RegistryOptions<Opened>) {
  async function open<V extends ArtefactOf>(version: V): Promise<{ version: V; opened: Opened }> {
    const artefact = await store.artefact(version.id);
    try {
      if (artefact === null) throw new WeightsRefused("its artefact is missing");
      if (sha256(artefact) !== version.hash)
        throw new WeightsRefused("its artefact is not the one that was stored");
      return { version, opened: read(version, artefact) };
    } catch (error) {
      if (!(error instanceof WeightsRefused)) throw error;
      throw new AppError("model_refused", `Version ${version.version}: ${error.message}`, { cause: error });
    }
  }

  /** What was opened of the same version before, or else is now. */
  async function reopened(
    version: ModelVersion,
    before: ReadonlyMap<number, OpenVersion<Opened>>,
  ): Promise<OpenVersion<Opened> | AppError> {
    const known = before.get(version.id);
    if (known !== undefined) return { version, opened: known.opened };
    try {
      return await open(version);
    } catch (error) {
      if (error instanceof AppError && error.code === "model_refused") return error;
      throw error;
    }
  }

  /** The latest version that was active before and can be read; null for none. */
  async function fallback(version: ModelVersion): Promise<OpenVersion<Opened> | null> {
    for (const each of await store.formerly(version, version.id)) {
      const found = await reopened(each, new Map());
      if (!(found instanceof AppError)) return found;
    }
    return null;
  }

  async function readAll({ serving, shadows }: Readings<Opened>): Promise<Readings<Opened>> {
    const known = [...serving.values(), ...shadows];
    const digests = await store.digests(known.map(({ version }) => version.id));
    const unaltered = known.filter(({ version }) => digests.get(version.id) === version.hash);
    const before = new Map(unaltered.map((each) => [each.version.id, each]));
    const next = new Map<string, OpenVersion<Opened>>();
    const refused: RefusedVersion[] = [];
    for (const version of await store.list({ status: "active" }, MOST_VERSIONS)) {
      const found = await reopened(version, before);
      if (!(found instanceof AppError)) {
        next.set(keyOf(version), found);
        continue;
      }
      const instead = await fallback(version);
      if (instead !== null) next.set(keyOf(version), instead);
      const servedBy = instead?.version.version ?? null;
      refused.push({ purpose: version, version: version.version, reason: found.message, servedBy });
      const facts = { model: keyOf(version), version: version.version, servedBy, reason: found.message };
      log.error(facts, "an active model cannot be read");
    }
    const watching: OpenVersion<Opened>[] = [];
    for (const version of await store.list({ status: "shadow" }, MOST_VERSIONS)) {
      const found = await reopened(version, before);
      if (!(found instanceof AppError)) watching.push(found);
    }
    return { serving: next, shadows: watching, refused };
  }

  return { open, readAll };
}

/** Finds versions that somebody names. */
function createFinder(store: Pick<ModelStore, "list" | "whyRefused">) {
  async function named(purpose: Purpose, version: string, sql?: Sql): Promise<ModelVersion> {
    const { learner, assetClass, interval, grouping } = purpose;
    // A version is a purpose, too, and its status of before may be another one now.
    const [found] = await store.list({ learner, assetClass, interval, grouping, version }, 1, sql);
    if (found !== undefined) return found;
    throw new AppError("model_not_found", `There is no version ${version} of ${keyOf(purpose)}`);
  }

  /** The same version. @throws {AppError} `promotion_refused` for one that was refused or not tried yet. */
  async function promotable(version: ModelVersion, sql?: Sql): Promise<ModelVersion> {
    if (PROMOTABLE.includes(version.status)) return version;
    const why = (await store.whyRefused(version.id, sql)) ?? "it was not tried by the rules of promotion";
    throw new AppError("promotion_refused", `Version ${version.version} is ${version.status}: ${why}`);
  }

  return { named, promotable };
}

export function createRegistry<Opened>(options: RegistryOptions<Opened>): Registry<Opened> {
  const { store, database, eventLog } = options;
  const reader = createReader(options);
  let now: Readings<Opened> = { serving: new Map(), shadows: [], refused: [] };

  let [begun, newest] = [0, 0];
  /** Of several at once the one that began last counts: those before it may have read what is over. */
  async function refresh(): Promise<void> {
    const turn = ++begun;
    const read = await reader.readAll(now);
    if (turn < newest) return;
    newest = turn;
    now = read;
  }

  const steps = createSteps(options);
  const { named, promotable } = createFinder(store);

  /** Does a change, then reads what it led to. */
  async function changing<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const done = await database.transaction(work);
    eventLog.wake();
    await refresh();
    return done;
  }

  return {
    serving: (purpose) => now.serving.get(keyOf(purpose)) ?? null,
    allServing: () => [...now.serving.values()],
    shadows: () => now.shadows,
    refused: () => now.refused,
    refresh,
    open: reader.open,
    list: store.list,

    enter: (model, verdict, audit, rival = "shadow") =>
      changing(async (sql) => {
        const version = await steps.admit(sql, model, audit);
        return steps.judge(sql, version, verdict, audit.actor, rival);
      }),
    admit: (model, audit) => changing((sql) => steps.admit(sql, model, audit)),
    judge: (candidate, verdict, actor, rival = "shadow") =>
      changing((sql) => steps.judge(sql, candidate, verdict, actor, rival)),

    async promote(purpose, text, audit, { against, force = false } = {}) {
      await reader.open(await promotable(await named(purpose, text)));
      return changing(async (sql) => {
        await store.lock(sql, purpose);
        const version = await promotable(await named(purpose, text, sql), sql);
        if (version.status === "active") return version;
        const taken = await store.takenBack(version, sql);
        if (taken !== null && !force)
          throw new AppError("promotion_refused", `Version ${text} is refused: ${takenText(taken)}`);
        const active = await store.active(purpose, sql);
        if (against !== undefined && (active?.id ?? null) !== against) throw otherIsActive(active);
        const measured = { of: figuresOf(version), replaced: active === null ? null : figuresOf(active) };
        const forced = taken === null ? {} : { although: takenText(taken) };
        await steps.activate(sql, version, {
          ...audit,
          numbers: { ...audit.numbers, ...measured, ...forced },
        });
        return { ...version, status: "active" as ModelStatus };
      });
    },

    refuse: (version, audit) =>
      changing(async (sql) => {
        await store.move(sql, version, "refused", { ...audit, action: "refused" });
        await steps.tell(sql, "refused", version);
      }),

    async rollBack(purpose, audit, judged) {
      const seen = await store.active(purpose);
      if (seen === null) throw new AppError("model_not_found", `No version of ${keyOf(purpose)} is active`);
      return changing(async (sql) => {
        await store.lock(sql, purpose);
        const active = await store.active(purpose, sql);
        if (active === null || active.id !== (judged ?? seen.id)) throw otherIsActive(active);
        const former = await store.formerly(purpose, active.id, sql);
        const previous = former.find(({ hash }) => hash !== active.hash) ?? null;
        const measured = { of: figuresOf(active), instead: previous === null ? null : figuresOf(previous) };
        const numbers = { ...audit.numbers, ...measured };
        await store.move(sql, active, "retired", { ...audit, action: "rolled_back", numbers });
        await steps.tell(sql, "rolled_back", active);
        if (previous === null) return null;
        const reason = `${active.version} was rolled back: ${audit.reason}`;
        await steps.activate(sql, previous, { ...audit, reason, numbers });
        return { ...previous, status: "active" as ModelStatus };
      });
    },
  };
}

/** What was measured of a version when it was trained, as an audit tells it. */
function figuresOf({ version, metrics }: ModelVersion): Record<string, unknown> {
  const figures = Object.entries(metrics).filter(([, value]) => typeof value === "number");
  return { version, ...Object.fromEntries(figures) };
}

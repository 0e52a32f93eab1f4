import type { Database, Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import { numberArray, textArray } from "../../platform/sql-array.js";
import { epochMs } from "../../platform/sql-epoch.js";
import type { MarketName } from "../instruments/store.js";

export const MODEL_STATUSES = ["candidate", "shadow", "active", "retired", "refused"] as const;
export type ModelStatus = (typeof MODEL_STATUSES)[number];

/** For a model that all asset classes or intervals share. */
export const ANY = "any";

/** What a model is for: of each purpose at most one version is active. */
export interface Purpose {
  /** Name in the table of learners. */
  readonly learner: string;
  readonly assetClass: string;
  readonly interval: string;
  readonly grouping: "regime" | "pattern" | "none";
}

/** How a purpose is told in a word. */
export function nameOf({ learner, assetClass, interval, grouping }: Purpose): string {
  return [learner, assetClass, interval, grouping].filter((part) => part !== "none").join(":");
}

/** The purpose of a learner that one model serves everything for. */
export function deepPurpose(learner: string): Purpose {
  return { learner, assetClass: ANY, interval: ANY, grouping: "none" };
}

/** A version but for its artefact. Times in epoch ms. */
export interface ModelVersion extends Purpose {
  readonly id: number;
  readonly version: string;
  readonly status: ModelStatus;
  readonly hash: string;
  readonly dataHash: string;
  readonly featureSchema: string;
  /** Names of what it reads, in their order. */
  readonly columns: readonly string[];
  readonly seed: number;
  readonly parameters: Record<string, unknown>;
  readonly metrics: Record<string, unknown>;
  readonly card: Record<string, unknown>;
  readonly samples: number;
  /** Of what it learned from; null where nothing of it happened. */
  readonly firstDecisionMs: number | null;
  readonly lastDecisionMs: number | null;
  readonly jobId: number | null;
  readonly createdAtMs: number;
}

export type NewModel = Omit<ModelVersion, "id" | "version" | "status" | "createdAtMs"> & {
  readonly artefact: Uint8Array;
};

export const MODEL_ACTIONS = [
  "trained",
  "imported",
  "shadowed",
  "promoted",
  "refused",
  "retired",
  "rolled_back",
] as const;
export type ModelAction = (typeof MODEL_ACTIONS)[number];

/** Why a version went from one standing to another. */
export interface Audit {
  readonly action: ModelAction;
  readonly actor: string;
  readonly reason: string;
  readonly numbers: Record<string, unknown>;
}

export interface AuditRow extends Audit {
  readonly id: number;
  readonly modelId: number;
  readonly version: string;
  readonly purpose: Purpose;
  readonly from: ModelStatus | null;
  readonly to: ModelStatus;
  readonly createdAtMs: number;
}

/** That what a version says was taken back, by whichever version said it. */
export interface TakenBack {
  readonly version: string;
  readonly reason: string;
}

export interface ModelFilter extends Partial<Purpose> {
  readonly status?: ModelStatus | undefined;
  readonly version?: string | undefined;
  /** Leaves out versions that came from elsewhere. */
  readonly trainedHere?: boolean | undefined;
}

const PURPOSE = `m.learner, m.asset_class as "assetClass", m.interval, m.grouping`;
const FIELDS = [
  `m.id, ${PURPOSE}, m.version, m.status, m.hash, m.data_hash as "dataHash", m.feature_schema as "featureSchema"`,
  `m.columns, m.seed, m.parameters, m.metrics, m.card, m.samples, m.job_id as "jobId"`,
  epochMs("m.first_decision", "firstDecisionMs"),
  epochMs("m.last_decision", "lastDecisionMs"),
  epochMs("m.created_at", "createdAtMs"),
].join(", ");
const AUDIT_FIELDS = `a.id, a.model_id as "modelId", a.action, a."from", a."to", a.actor, a.reason, a.numbers,
  ${epochMs("a.created_at", "createdAtMs")}, m.version, ${PURPOSE}`;

const BY_PURPOSE = `m.synthetic = $1 and m.replay = $2 and m.learner = $3 and m.asset_class = $4 and m.interval = $5
  and m.grouping = $6`;

async function record(
  sql: Sql,
  modelId: number,
  change: { from: ModelStatus | null; to: ModelStatus },
  audit: Audit,
) {
  await sql.query(
    `insert into model_audits (model_id, action, "from", "to", actor, reason, numbers)
     values ($1, $2, $3::model_status, $4::model_status, $5, $6, $7::jsonb)`,
    [modelId, audit.action, change.from, change.to, audit.actor, audit.reason, JSON.stringify(audit.numbers)],
  );
}

/** Versions of models and what was decided about them, of one market. */
export function createModelStore(database: Database, { synthetic, replay }: MarketName) {
  const market = [synthetic, replay ?? ""] as const;
  const of = (purpose: Purpose) =>
    [...market, purpose.learner, purpose.assetClass, purpose.interval, purpose.grouping] as const;

  return {
    /** Lets one change of a purpose go at a time, to the end of the transaction. */
    async lock(sql: Sql, purpose: Purpose): Promise<void> {
      await sql.query("select pg_advisory_xact_lock(hashtextextended($1, 8))", [of(purpose).join("|")]);
    },

    /** Adds a version as a candidate, numbered after the newest of its purpose. @returns it. */
    async add(sql: Sql, model: NewModel, audit: Audit): Promise<ModelVersion> {
      const version = nextVersion(await newestNumbers(sql, of(model)), model.featureSchema);
      const [row] = await sql.query<ModelVersion>(
        `insert into models as m (synthetic, replay, learner, asset_class, interval, grouping, version, hash, data_hash,
           feature_schema, columns, seed, parameters, metrics, card, artefact, samples, first_decision, last_decision,
           job_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::text[], $12, $13::jsonb, $14::jsonb, $15::jsonb, $16,
           $17, to_timestamp($18::float8 / 1000), to_timestamp($19::float8 / 1000), $20) returning ${FIELDS}`,
        [
          ...of(model),
          ...[version, model.hash, model.dataHash, model.featureSchema, textArray(model.columns), model.seed],
          ...[model.parameters, model.metrics, model.card].map((part) => JSON.stringify(part)),
          ...[model.artefact, model.samples, model.firstDecisionMs, model.lastDecisionMs, model.jobId],
        ],
      );
      await record(sql, row.id, { from: null, to: "candidate" }, audit);
      return row;
    },

    /** Moves a version on. @throws {AppError} `conflict` where it no longer stands where it was seen. */
    async move(
      sql: Sql,
      { id, status, version }: Pick<ModelVersion, "id" | "status" | "version">,
      to: ModelStatus,
      audit: Audit,
    ) {
      const moved = await sql.query(
        "update models set status = $3::model_status where id = $1 and status = $2::model_status returning id",
        [id, status, to],
      );
      if (moved.length === 0) throw new AppError("conflict", `Version ${version} is ${status} no longer`);
      await record(sql, id, { from: status, to }, audit);
    },

    async active(purpose: Purpose, sql: Sql = database): Promise<ModelVersion | null> {
      const rows = await sql.query<ModelVersion>(
        `select ${FIELDS} from models m where ${BY_PURPOSE} and m.status = 'active'`,
        [...of(purpose)],
      );
      return rows[0] ?? null;
    },

    /** Versions that were active before another, of bytes that were not rolled back since, the latest first. */
    async formerly(purpose: Purpose, before: number, sql: Sql = database): Promise<ModelVersion[]> {
      return sql.query<ModelVersion>(
        `select ${FIELDS} from models m join lateral (
           select max(a.id) as at from model_audits a where a.model_id = m.id and a.action = 'promoted') p on p.at is not null
         where ${BY_PURPOSE} and m.id <> $7 and m.status = 'retired' and not exists (
           select from model_audits b join models n on n.id = b.model_id
           where b.action = 'rolled_back' and b.id > p.at and n.hash = m.hash and n.synthetic = m.synthetic
             and n.replay = m.replay and n.learner = m.learner and n.asset_class = m.asset_class
             and n.interval = m.interval and n.grouping = m.grouping)
         order by p.at desc`,
        [...of(purpose), before],
      );
    },

    /** Newest first. */
    async list(filter: ModelFilter, limit: number, sql: Sql = database): Promise<ModelVersion[]> {
      const { learner, assetClass, interval, grouping, status, version, trainedHere = false } = filter;
      return sql.query<ModelVersion>(
        `select ${FIELDS} from models m where m.synthetic = $1 and m.replay = $2
           and ($3::text is null or m.learner = $3) and ($4::text is null or m.asset_class = $4)
           and ($5::text is null or m.interval = $5) and ($6::text is null or m.grouping = $6)
           and ($7::text is null or m.status = $7::model_status) and ($8::text is null or m.version = $8)
           and (not $9::boolean or m.job_id is not null)
         order by m.id desc limit $10`,
        [
          ...market,
          ...[learner, assetClass, interval, grouping, status, version].map((each) => each ?? null),
          ...[trainedHere, limit],
        ],
      );
    },

    /** The version of a hash that a training of this server made, of several that learned from the latest; null for none. */
    async trainedHere(hash: string): Promise<ModelVersion | null> {
      const rows = await database.query<ModelVersion>(
        `select ${FIELDS} from models m where m.synthetic = $1 and m.replay = $2 and m.hash = $3 and m.job_id is not null
         order by m.last_decision desc nulls last limit 1`,
        [...market, hash],
      );
      return rows[0] ?? null;
    },

    async find(id: number): Promise<ModelVersion | null> {
      const rows = await database.query<ModelVersion>(
        `select ${FIELDS} from models m where m.synthetic = $1 and m.replay = $2 and m.id = $3`,
        [...market, id],
      );
      return rows[0] ?? null;
    },

    ...createArtefactReads(database),
    ...createAuditReads(database, market),
  };
}

/** Artefacts as they are stored. */
function createArtefactReads(database: Database) {
  return {
    /** Bytes of a version as they are stored; null where it is missing. */
    async artefact(id: number): Promise<Uint8Array | null> {
      const rows = await database.query<{ artefact: Uint8Array }>(
        "select artefact from models where id = $1",
        [id],
      );
      return rows[0]?.artefact ?? null;
    },

    /** Digests in hex of the artefacts that are stored, by version. */
    async digests(ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
      const rows = await database.query<{ id: number; digest: string }>(
        "select id, encode(sha256(artefact), 'hex') as digest from models where id = any($1::bigint[])",
        [numberArray(ids)],
      );
      return new Map(rows.map(({ id, digest }) => [id, digest]));
    },
  };
}

/** What was decided about versions, newest first. */
function createAuditReads(database: Database, market: readonly [boolean, string]) {
  async function read(filter: { modelId?: number | undefined }, limit: number): Promise<AuditRow[]> {
    const rows = await database.query<Omit<AuditRow, "purpose"> & Purpose>(
      `select ${AUDIT_FIELDS} from model_audits a join models m on m.id = a.model_id
       where m.synthetic = $1 and m.replay = $2 and ($3::bigint is null or a.model_id = $3) order by a.id desc limit $4`,
      [...market, filter.modelId ?? null, limit],
    );
    return rows.map(({ learner, assetClass, interval, grouping, ...row }) => ({
      ...row,
      purpose: { learner, assetClass, interval, grouping },
    }));
  }

  async function count({ modelId }: { modelId?: number | undefined }): Promise<number> {
    const [row] = await database.query<{ count: number }>(
      `select count(*)::int as count from model_audits a join models m on m.id = a.model_id
       where m.synthetic = $1 and m.replay = $2 and ($3::bigint is null or a.model_id = $3)`,
      [...market, modelId ?? null],
    );
    return row.count;
  }

  return {
    audits: read,
    countAudits: count,
    /** Whether the newest that was decided of versions with these bytes is that one was taken back; null where not. */
    async takenBack(
      { learner, assetClass, interval, grouping, hash }: Purpose & { readonly hash: string },
      sql: Sql = database,
    ): Promise<TakenBack | null> {
      const rows = await sql.query<TakenBack & { action: ModelAction }>(
        `select a.action, a.reason, m.version from model_audits a join models m on m.id = a.model_id
         where ${BY_PURPOSE} and m.hash = $7 and a.action in ('promoted', 'rolled_back') order by a.id desc limit 1`,
        [...market, learner, assetClass, interval, grouping, hash],
      );
      const [{ action, ...taken } = { action: "promoted" as const, version: "", reason: "" }] = rows;
      return action === "rolled_back" ? taken : null;
    },
    /** Null for a version that was not refused. */
    async whyRefused(id: number, sql: Sql = database): Promise<string | null> {
      const rows = await sql.query<{ reason: string }>(
        "select reason from model_audits where model_id = $1 and action = 'refused' order by id desc limit 1",
        [id],
      );
      return rows[0]?.reason ?? null;
    },
  };
}

export type ModelStore = ReturnType<typeof createModelStore>;

interface Newest {
  readonly version: string;
  readonly featureSchema: string;
}

async function newestNumbers(sql: Sql, purpose: readonly (string | boolean)[]): Promise<Newest | null> {
  const rows = await sql.query<Newest>(
    `select m.version, m.feature_schema as "featureSchema" from models m where ${BY_PURPOSE} order by m.id desc limit 1`,
    [...purpose],
  );
  return rows[0] ?? null;
}

/** The first number grows with the features, the second with each training. */
function nextVersion(newest: Newest | null, featureSchema: string): string {
  if (newest === null) return "1.0.0";
  const [major, minor] = newest.version.split(".").map(Number);
  return newest.featureSchema === featureSchema ? `${major}.${minor + 1}.0` : `${major + 1}.0.0`;
}

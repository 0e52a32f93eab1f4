import { WeightsRefused } from "../../core/learning/define.js";
import {
  type AdaptiveWindow,
  createAdaptiveWindow,
  decodeWindow,
  encodeWindow,
  observe,
} from "../../core/learning/drift.js";
import {
  coefficientsOf,
  createOnlineLogistic,
  decodeUngrouped,
  learnRow,
  type OnlineLogistic,
  oddsOf,
  onlineLogistic,
} from "../../core/learning/online-logistic.js";
import {
  createPrequential,
  decodePrequential,
  encodePrequential,
  noteScore,
  type PrequentialFigures,
  type PrequentialScores,
  readPrequential,
} from "../../core/learning/prequential.js";
import { readFields, readWhole } from "../../core/learning/read-weights.js";
import { findFar } from "../../core/learning/running-moments.js";
import type { Database, Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { MarketName } from "../instruments/store.js";

/** A learner that is taught one label at a time, with how it fared before each. */
export interface OnlineState {
  readonly weights: OnlineLogistic;
  readonly fared: PrequentialScores;
  /** Of its errors: where their mean changes, the market has. */
  readonly errors: AdaptiveWindow;
  /** Times that it began anew because its errors grew. */
  readonly drifts: number;
}

export interface OnlinePrediction {
  readonly key: string;
  /** Chance of label 1; null before anything was learned. */
  readonly score: number | null;
  readonly samples: number;
  readonly figures: PrequentialFigures;
  /** Where the score comes from; null before anything was learned. */
  readonly explanation: OnlineExplanation | null;
}

/** Log-odds of label 1: the base and all contributions sum to them. */
export interface OnlineExplanation {
  readonly base: number;
  readonly logOdds: number;
  /** Of each column in the order of the names. */
  readonly columns: readonly OnlineColumn[];
}

export interface OnlineColumn {
  readonly feature: string;
  /** Null where it is not known. */
  readonly value: number | null;
  /** Of the values that were learned from. */
  readonly mean: number;
  readonly deviation: number;
  /** What a standard deviation above the mean adds to the log-odds, and what adds that the value is not known. */
  readonly coefficient: number;
  readonly missing: number;
  /** What the column adds. */
  readonly contribution: number;
}

export interface OnlineLesson {
  readonly row: Float64Array;
  readonly label: 0 | 1;
  /** Number of the outcome that it comes from; null for one that somebody gives. */
  readonly outcome: number | null;
}

export interface OnlineStatus extends Omit<OnlinePrediction, "explanation"> {
  readonly drifts: number;
  readonly updatedAtMs: number;
  /** Newest outcome that was learned from. */
  readonly lastOutcome: number;
}

/** A learner whose stored state cannot be used. It is kept as it is, and nothing is taught it. */
export interface RefusedOnline {
  readonly key: string;
  readonly reason: string;
}

export interface OnlineModels {
  readonly names: readonly string[];
  /** What a learner says of a row, in the order of the names. @throws {AppError} `model_refused`. */
  predict(key: string, row: Float64Array): Promise<OnlinePrediction>;
  /**
   * Scores each row, then learns it, in their order; of outcomes those that were learned before are passed over, and so
   * are those with a value beyond `MOST_VALUE`.
   * @returns how it stands afterwards. @throws {AppError} `invalid_request` for such a value that somebody gives, or one
   * beyond all that its column has shown, `model_refused`.
   */
  learn(key: string, lessons: readonly OnlineLesson[]): Promise<OnlineStatus>;
  /** Of those that can be read. */
  status(): Promise<OnlineStatus[]>;
  /** Those that could not be read when they were last looked at. */
  refused(): readonly RefusedOnline[];
}

/** Newest labels that the area under the curve is told of. */
const WINDOW = 200;
/** Features have no scale: what lies beyond either way is no value, and would drown all others in sums of squares. */
export const MOST_VALUE = 1e12;

const isWithinBounds = (row: Float64Array) =>
  row.every((value) => Number.isNaN(value) || Math.abs(value) <= MOST_VALUE);

/** @throws {AppError} `invalid_request` for a value that cannot be one of its column, by all that was learned of that. */
function requireNear({ weights }: OnlineState, row: Float64Array): void {
  const column = findFar(weights.moments, row);
  if (column < 0) return;
  const { centres, spreads } = weights.moments;
  throw new AppError(
    "invalid_request",
    `body features: ${weights.names[column]} is ${row[column]}, where what was learned has a mean of ${centres[column]} and a standard deviation of ${spreads[column]}`,
  );
}

export function createOnlineModels(options: {
  readonly database: Database;
  readonly market: MarketName;
  readonly names: readonly string[];
  readonly now: () => number;
  readonly log: Log;
}): OnlineModels {
  const { database, names, now, log } = options;
  const market = [options.market.synthetic, options.market.replay ?? ""] as const;
  const { read, readAll, refused } = createReader(names, log);

  /** @param how `for update` where it is going to be changed. */
  async function load(sql: Sql, key: string, how: "" | "for update" = "") {
    const [row] = await sql.query<StateRow>(
      `select ${FIELDS} from online_models where synthetic = $1 and replay = $2 and key = $3 ${how}`,
      [...market, key],
    );
    if (row === undefined) return null;
    try {
      return { state: read(row), row };
    } catch (error) {
      if (!(error instanceof WeightsRefused)) throw error;
      throw new AppError("model_refused", `The online model ${key}: ${error.message}`, { cause: error });
    }
  }

  return {
    names,

    async predict(key, row) {
      const { state } = (await load(database, key)) ?? { state: createState(names) };
      const { weights, fared } = state;
      const isTaught = fared.n > 0;
      return {
        ...{ key, samples: fared.n, figures: readPrequential(fared) },
        score: isTaught ? onlineLogistic.score(weights, row) : null,
        explanation: isTaught ? explanationOf(weights, row) : null,
      };
    },

    async learn(key, lessons) {
      const usable = lessons.map(({ row }) => isWithinBounds(row));
      if (lessons.some(({ outcome }, i) => outcome === null && !usable[i]))
        throw new AppError("invalid_request", `body features: a value lies beyond ${MOST_VALUE}`);
      return database.transaction(async (sql) => {
        await sql.query(
          `insert into online_models (synthetic, replay, key, state, hash, samples, updated_at)
           values ($1, $2, $3, $4::jsonb, ${hashOf("$4::jsonb")}, 0, to_timestamp($5::float8 / 1000)) on conflict do nothing`,
          [...market, key, JSON.stringify(encodeState(createState(names))), now()],
        );
        const found = await load(sql, key, "for update");
        let [state, lastOutcome] = [found?.state ?? createState(names), found?.row.lastOutcome ?? 0];
        for (const [i, lesson] of lessons.entries()) {
          if (lesson.outcome !== null && lesson.outcome <= lastOutcome) continue;
          if (lesson.outcome === null) requireNear(state, lesson.row);
          if (usable[i]) state = learnLesson(state, lesson);
          else
            log.warn(
              { key, outcome: lesson.outcome },
              "an outcome with a value out of bounds teaches nothing",
            );
          lastOutcome = Math.max(lastOutcome, lesson.outcome ?? lastOutcome);
        }
        const encoded = encodeState(state);
        decodeState(encoded, names);
        const updatedAtMs = now();
        await sql.query(
          `update online_models set state = $4::jsonb, hash = ${hashOf("$4::jsonb")}, samples = $5, last_outcome = $6,
             updated_at = to_timestamp($7::float8 / 1000) where synthetic = $1 and replay = $2 and key = $3`,
          [...market, key, JSON.stringify(encoded), state.fared.n, lastOutcome, updatedAtMs],
        );
        return statusOf(key, state, { updatedAtMs, lastOutcome });
      });
    },

    async status() {
      const rows = await database.query<StateRow>(
        `select ${FIELDS} from online_models where synthetic = $1 and replay = $2 order by key`,
        [...market],
      );
      return readAll(rows).map(({ row, state }) => statusOf(row.key, state, row));
    },

    refused,
  };
}

/** Reads stored states, and knows which could not be read when they were read last. */
function createReader(names: readonly string[], log: Log) {
  const refused = new Map<string, string>();

  /** @throws {WeightsRefused} */
  function read(row: StateRow): OnlineState {
    try {
      if (!row.isWhole) throw new WeightsRefused("its state is not the one that was stored");
      const state = decodeState(row.state, names);
      refused.delete(row.key);
      return state;
    } catch (error) {
      if (error instanceof WeightsRefused) {
        if (refused.get(row.key) !== error.message)
          log.error({ key: row.key, reason: error.message }, "an online model cannot be read");
        refused.set(row.key, error.message);
      }
      throw error;
    }
  }

  return {
    read,
    refused: (): RefusedOnline[] => Array.from(refused, ([key, reason]) => ({ key, reason })),
    /** Those that can be read of all that there are. */
    readAll(rows: readonly StateRow[]): { row: StateRow; state: OnlineState }[] {
      const keys = new Set(rows.map(({ key }) => key));
      for (const key of refused.keys()) if (!keys.has(key)) refused.delete(key);
      return rows.flatMap((row) => {
        try {
          return [{ row, state: read(row) }];
        } catch (error) {
          if (error instanceof WeightsRefused) return [];
          throw error;
        }
      });
    },
  };
}

/** As it is spelled by the database, which orders fields its own way. */
const hashOf = (state: string) => `encode(sha256(convert_to((${state})::text, 'UTF8')), 'hex')`;
const FIELDS = `key, state, hash = ${hashOf("state")} as "isWhole", last_outcome as "lastOutcome", (extract(epoch from updated_at) * 1000)::float8 as "updatedAtMs"`;

interface StateRow {
  readonly key: string;
  readonly state: unknown;
  readonly isWhole: boolean;
  readonly lastOutcome: number;
  readonly updatedAtMs: number;
}

function createState(names: readonly string[]): OnlineState {
  return {
    weights: createOnlineLogistic(names),
    fared: createPrequential(WINDOW),
    errors: createAdaptiveWindow(),
    drifts: 0,
  };
}

/** Test, then train: where errors have grown beyond chance, what was learned before is forgotten. */
function learnLesson(state: OnlineState, { row, label }: OnlineLesson): OnlineState {
  const score = learnRow(state.weights, row, label);
  noteScore(state.fared, score, label);
  const change = observe(state.errors, Math.abs(score - label));
  if (change === null || change.after <= change.before) return state;
  return { ...state, weights: createOnlineLogistic(state.weights.names), drifts: state.drifts + 1 };
}

function statusOf(
  key: string,
  { fared, drifts }: OnlineState,
  { updatedAtMs, lastOutcome }: { updatedAtMs: number; lastOutcome: number },
): OnlineStatus {
  const figures = readPrequential(fared);
  return { key, score: null, samples: fared.n, figures, drifts, updatedAtMs, lastOutcome };
}

function explanationOf(weights: OnlineLogistic, row: Float64Array): OnlineExplanation {
  const { base, parts } = onlineLogistic.explain(weights, row);
  const { columns, missing } = coefficientsOf(weights);
  const { centres, spreads } = weights.moments;
  return {
    base,
    logOdds: oddsOf(weights, row),
    columns: weights.names.map((feature, k) => ({
      ...{ feature, value: Number.isFinite(row[k]) ? row[k] : null },
      ...{ mean: centres[k], deviation: spreads[k] },
      ...{ coefficient: columns[k], missing: missing[k], contribution: parts[k] },
    })),
  };
}

function encodeState({ weights, fared, errors, drifts }: OnlineState): unknown {
  return {
    weights: onlineLogistic.encode(weights),
    fared: encodePrequential(fared),
    errors: encodeWindow(errors),
    drifts,
  };
}

/** @throws {WeightsRefused} where it is not whole, or of other features. */
function decodeState(state: unknown, names: readonly string[]): OnlineState {
  const fields = readFields(state, ["weights", "fared", "errors", "drifts"], "a learner");
  const { weights: kept } = fields;
  const isOlder = typeof kept === "object" && kept !== null && !Object.hasOwn(kept, "groups");
  const weights = isOlder ? decodeUngrouped(kept) : onlineLogistic.decode(kept);
  if (weights.names.join() !== names.join()) throw new WeightsRefused("it learned from other features");
  return {
    weights,
    fared: decodePrequential(fields.fared),
    errors: decodeWindow(fields.errors),
    drifts: readWhole(fields.drifts, "drifts", 0, Number.MAX_SAFE_INTEGER),
  };
}

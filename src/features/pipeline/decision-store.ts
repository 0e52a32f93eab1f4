import type { Database, Sql } from "../../platform/database.js";
import { prepared } from "../../platform/prepared.js";
import { epochMs } from "../../platform/sql-epoch.js";
import { type StoredSynergy, SYNERGY_FIELDS, type Synergy } from "./synergy-rows.js";

export interface RuleSaid {
  readonly rule: string;
  /** Null where the rule was not applied. */
  readonly passed: boolean | null;
  readonly value: number | null;
  readonly limit: number | null;
  /** Why there is no value, or the rule was not applied; null where there is nothing to say. */
  readonly why: string | null;
}

export interface NewDecision {
  readonly refusedBy: string | null;
  readonly entry: number | null;
  readonly stop: number | null;
  /** Where the stop comes from. */
  readonly stopBasis: string | null;
  readonly target: number | null;
  readonly size: number | null;
  readonly risk: number | null;
  readonly reward: number | null;
  readonly confidence: number | null;
  /** quality or score. */
  readonly measure: string | null;
  readonly rules: readonly RuleSaid[];
  /** Of the account, and so of risk and reward. */
  readonly currency: string | null;
  /** Money per point of price and unit in the instrument's currency, and the account's money for one of that. */
  readonly pointValue: number | null;
  readonly rate: number | null;
  readonly model: ModelSaid;
  readonly account: AccountSaid | null;
}

export interface NewSynergy extends Synergy {
  readonly decision: NewDecision;
}

/** What a model said of a decision; without a score why there is none. */
export interface ModelSaid {
  readonly score: number | null;
  readonly version: string | null;
  readonly why: string | null;
}

/** The account that a decision is traded in, and why nothing is known of it; null where it was asked. */
export interface AccountSaid {
  readonly id: string;
  readonly why: string | null;
}

/** What became of the order of a decision. */
export interface OrderSaid {
  readonly status: "waiting" | "placed" | "refused";
  readonly id: string | null;
  /** Why it was refused. */
  readonly why: string | null;
}

/** What was made public of a decision, and what is kept beside it. */
export interface Raised {
  readonly detectionId: number | null;
  readonly alertId: number | null;
  /** Why there is no alert; null where there is one. */
  readonly unalerted: string | null;
  /** Score that is kept with its snapshot; null without one. */
  readonly scoreId: number | null;
  /** Null where nothing is to be traded. */
  readonly order: OrderSaid | null;
}

export interface StoredDecision extends NewDecision, Omit<Raised, "detectionId"> {
  readonly synergy: StoredSynergy;
  readonly decidedAt: number;
}

const RECORD_DECISION = prepared(`
insert into tick_decisions (synergy_id, refused_by, entry, stop, target, size, risk, reward, confidence, measure, rules,
  detection_id, alert_id, unalerted, stop_basis, currency, point_value, rate, model_score, model_version, model_why, score_id,
  account_id, account_why, order_status, order_id, order_why)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23::uuid,
  $24, $25, $26, $27)`);

const SETTLE_ORDER = `
update tick_decisions set order_status = $2, order_id = $3, order_why = $4
where synergy_id = $1 and order_status = 'waiting' returning synergy_id`;

const DECISION_FIELDS = [
  `d.refused_by as "refusedBy", d.entry, d.stop, d.target, d.size, d.risk, d.reward, d.confidence, d.measure, d.rules`,
  `d.alert_id as "alertId", d.unalerted, d.stop_basis as "stopBasis", d.currency, d.rate, d.score_id as "scoreId"`,
  `d.point_value as "pointValue", d.model_score as "modelScore", d.model_version as "modelVersion"`,
  `d.model_why as "modelWhy", d.account_id as "accountId", d.account_why as "accountWhy"`,
  `d.order_status as "orderStatus", d.order_id as "orderId", d.order_why as "orderWhy"`,
  epochMs("d.decided_at", "decidedAt"),
].join(", ");

type DecisionRow = StoredSynergy &
  Omit<StoredDecision, "synergy" | "model" | "account" | "order"> & {
    readonly modelScore: number | null;
    readonly modelVersion: string | null;
    readonly modelWhy: string | null;
    readonly accountId: string | null;
    readonly accountWhy: string | null;
    readonly orderStatus: OrderSaid["status"] | null;
    readonly orderId: string | null;
    readonly orderWhy: string | null;
  };

/** Of decisions that were stored before any model was asked. */
const NOT_ASKED = "no model was asked of synergies then";

function decisionOf(row: DecisionRow): StoredDecision {
  const { modelScore: score, modelVersion: version, modelWhy, accountId, accountWhy, orderStatus } = row;
  return {
    ...row,
    synergy: row,
    model: { score, version, why: score === null ? (modelWhy ?? NOT_ASKED) : null },
    account: accountId === null ? null : { id: accountId, why: accountWhy },
    order: orderStatus === null ? null : { status: orderStatus, id: row.orderId, why: row.orderWhy },
  };
}

const FROM = `select ${SYNERGY_FIELDS}, ${DECISION_FIELDS}
from synergies s join tick_decisions d on d.synergy_id = s.id where s.market = $1`;

/** What was decided on the synergies of one market. */
export function createDecisionStore(database: Database, market: string) {
  return {
    async recordDecision(sql: Sql, synergyId: number, decision: NewDecision, raised: Raised): Promise<void> {
      const { refusedBy, entry, stop, target, size, risk, reward, confidence, measure, rules } = decision;
      const { model, account } = decision;
      const { order } = raised;
      await sql.query(RECORD_DECISION, [
        ...[synergyId, refusedBy, entry, stop, target, size, risk, reward, confidence, measure],
        ...[JSON.stringify(rules), raised.detectionId, raised.alertId, raised.unalerted],
        ...[decision.stopBasis, decision.currency, decision.pointValue, decision.rate],
        ...[model.score, model.version, model.why, raised.scoreId],
        ...[account?.id ?? null, account?.why ?? null],
        ...[order?.status ?? null, order?.id ?? null, order?.why ?? null],
      ]);
    },

    /** The newest first. */
    async listDecisions(symbol: string, limit: number): Promise<StoredDecision[]> {
      const rows = await database.query<DecisionRow>(
        `${FROM} and s.symbol = $2 order by s.known_at desc limit $3`,
        [market, symbol, limit],
      );
      return rows.map(decisionOf);
    },

    /** Decisions whose orders have not been placed or refused yet, the oldest first. */
    async listWaiting(limit: number): Promise<StoredDecision[]> {
      const rows = await database.query<DecisionRow>(
        `${FROM} and d.order_status = 'waiting' order by s.id limit $2`,
        [market, limit],
      );
      return rows.map(decisionOf);
    },

    /** Symbols that orders of an account wait to be placed for. */
    async waitingSymbols(accountId: string): Promise<string[]> {
      const rows = await database.query<{ symbol: string }>(
        `select distinct s.symbol from synergies s join tick_decisions d on d.synergy_id = s.id
         where s.market = $1 and d.order_status = 'waiting' and d.account_id = $2::uuid`,
        [market, accountId],
      );
      return rows.map(({ symbol }) => symbol);
    },

    /** @returns false where it has been settled already. */
    async settleOrder(sql: Sql, synergyId: number, { status, id, why }: OrderSaid): Promise<boolean> {
      return (await sql.query(SETTLE_ORDER, [synergyId, status, id, why])).length > 0;
    },
  };
}

export type DecisionStore = ReturnType<typeof createDecisionStore>;

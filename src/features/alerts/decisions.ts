import type { DecisionWindow } from "../../core/rules/decision.js";
import type { Database } from "../../platform/database.js";
import type { Rule, Verdict } from "./rules.js";

/** What was decided about one candidate. */
export interface Decision {
  readonly id: number;
  readonly symbol: string;
  readonly interval: string;
  readonly pattern: string;
  readonly barTime: number;
  readonly accepted: boolean;
  /** First rule that refused; null when accepted. */
  readonly rule: Rule | null;
  readonly verdicts: readonly Verdict[];
  readonly decidedAt: number;
}

export interface DecisionFilter extends DecisionWindow {
  readonly pattern?: string | undefined;
}

/** Newest first. */
export async function loadDecisions(
  database: Database,
  synthetic: boolean,
  filter: DecisionFilter,
  limit: number,
): Promise<Decision[]> {
  const { symbol, pattern, interval, rule, accepted, from, to, before } = filter;
  return database.query<Decision>(
    `select d.id, i.symbol, d.interval, d.pattern, (extract(epoch from d.bar_time) * 1000)::float8 as "barTime",
       d.accepted, d.rule, d.verdicts, (extract(epoch from d.decided_at) * 1000)::float8 as "decidedAt"
     from decisions d join instruments i on i.id = d.instrument_id
     where i.synthetic = $1 and ($2::text is null or i.symbol = $2) and ($3::text is null or d.pattern = $3)
       and ($4::text is null or d.interval = $4) and ($5::text is null or d.rule = $5)
       and ($6::bool is null or d.accepted = $6)
       and ($7::float8 is null or d.decided_at >= to_timestamp($7 / 1000))
       and ($8::float8 is null or d.decided_at < to_timestamp($8 / 1000))
       and ($9::bigint is null or d.id < $9)
     order by d.id desc limit $10`,
    [
      synthetic,
      symbol ?? null,
      pattern ?? null,
      interval ?? null,
      rule ?? null,
      accepted ?? null,
      from ?? null,
      to ?? null,
      before ?? null,
      limit,
    ],
  );
}

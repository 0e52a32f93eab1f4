import type { LoadRuleDecisions, RuleDecision } from "../../core/rules/decision.js";
import type { Database } from "../../platform/database.js";

const DECISIONS = `
select d.id, i.symbol, d.interval, d.rule_id as "ruleId", d.name,
  (extract(epoch from d.bar_time) * 1000)::float8 as "barTime", d.accepted, d.gate, d.verdicts,
  (extract(epoch from d.decided_at) * 1000)::float8 as "decidedAt"
from rule_decisions d join instruments i on i.id = d.instrument_id
where d.user_id = $1 and ($2::uuid is null or d.rule_id = $2) and ($3::text is null or i.symbol = $3)
  and ($4::text is null or d.interval = $4) and ($5::text is null or d.gate = $5)
  and ($6::bool is null or d.accepted = $6)
  and ($7::float8 is null or d.decided_at >= to_timestamp($7 / 1000))
  and ($8::float8 is null or d.decided_at < to_timestamp($8 / 1000))
  and ($9::bigint is null or d.id < $9)
order by d.id desc limit $10`;

/** What was decided about the rules of a user, newest first. */
export function createRuleDecisions(database: Database): LoadRuleDecisions {
  return (userId, filter, limit) => {
    const { ruleId, symbol, interval, rule, accepted, from, to, before } = filter;
    const values = [ruleId, symbol, interval, rule, accepted, from, to, before];
    return database.query<RuleDecision>(DECISIONS, [userId, ...values.map((value) => value ?? null), limit]);
  };
}

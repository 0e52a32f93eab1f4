import type { z } from "zod";
import { printRule } from "../../core/rules/print.js";
import { isoTime } from "../../platform/http.js";
import { hasEnded } from "./rules.js";
import type { firingSchema, ruleSchema } from "./schema.js";
import type { StoredFiring, StoredRule } from "./store.js";

const timeOf = (ms: number | null) => (ms === null ? null : isoTime(ms));

export function ruleView(rule: StoredRule, nowMs: number): z.input<typeof ruleSchema> {
  const { id, name, condition, rearm, interval, watch, terms, states } = rule;
  return {
    id,
    name,
    expression: printRule(condition),
    condition: { ...condition },
    rearm: rearm === null ? null : { expression: printRule(rearm), condition: { ...rearm } },
    interval,
    watch,
    frequency: terms.frequency,
    cooldown_s: terms.cooldownS,
    quiet_hours: terms.quiet === null ? null : { ...terms.quiet },
    digest: terms.digest === null ? null : { ...terms.digest },
    expires_at: timeOf(terms.expiresAt),
    status: statusOf(rule, nowMs),
    symbols: states.map(({ symbol, phase, seenAt, firedAt, lacks, suppressed, trouble }) => ({
      symbol,
      phase,
      seen_at: timeOf(seenAt),
      fired_at: timeOf(firedAt),
      unknown_for: [...lacks],
      suppressed,
      trouble,
    })),
    created_at: isoTime(rule.createdAt),
    updated_at: isoTime(rule.updatedAt),
  };
}

function statusOf(rule: StoredRule, nowMs: number): "active" | "paused" | "ended" {
  if (hasEnded(rule, nowMs)) return "ended";
  return rule.paused ? "paused" : "active";
}

export function firingView(firing: StoredFiring): z.input<typeof firingSchema> {
  const { id, ruleId, name, expression, symbol, synthetic, interval, watch, ordinal, price, source } = firing;
  return {
    id,
    rule_id: ruleId,
    name,
    expression,
    symbol,
    synthetic,
    interval,
    watch,
    bar: isoTime(firing.barTime),
    ordinal,
    fired_at: isoTime(firing.firedAt),
    price,
    source,
    due_at: timeOf(firing.dueAt),
    told_at: timeOf(firing.toldAt),
  };
}

import { z } from "zod";
import type { LoadRuleDecisions } from "../../core/rules/decision.js";
import type { Alerts } from "../../features/alerts/alerts.js";
import type { decisionSchema } from "../../features/alerts/schema.js";
import { decisionView, ruleDecisionView } from "../../features/alerts/views.js";
import type { Instruments } from "../../features/instruments/instruments.js";
import { isoTime } from "../../platform/http.js";
import { STORED } from "./alert-tools.js";
import { atMost, cut, symbol, time } from "./schema.js";
import { defineTool, type Tool } from "./tool.js";

export interface DecisionToolOptions {
  readonly alerts: Pick<Alerts, "decisions">;
  readonly ruleDecisions: LoadRuleDecisions;
  readonly instruments: Pick<Instruments, "identify">;
  /** Whether what was decided about is of the synthetic market. */
  readonly synthetic: boolean;
  readonly now: () => number;
}

const NAME_MOST = 100;
const decisionRow = z.object({
  symbol: z.string(),
  interval: z.string(),
  about: z.string().describe("The pattern, or the name of the caller's rule"),
  bar_time: time,
  alerted: z.boolean(),
  refused_by: z.string().nullable().describe("The first gate that refused"),
  because: z.string().nullable().describe("What that gate demands, with what it found"),
  decided_at: time,
});

export function decisionTools(options: DecisionToolOptions): readonly Tool[] {
  const { alerts, ruleDecisions, instruments, synthetic, now } = options;
  const listDecisions = defineTool({
    name: "list_decisions",
    title: "Why there was an alert, or none",
    description:
      "What was decided about patterns that the scanner saw, or about rules of the caller's own whose condition became true, newest first: whether it alerted, and else which gate refused and why. Use it for 'why was there no alert?'.",
    access: "viewer",
    effect: "reads",
    input: z.strictObject({
      of: z.enum(["patterns", "rules"]).default("patterns"),
      symbol: symbol.optional(),
      refused_only: z.boolean().default(false),
      limit: atMost(50, 10),
    }),
    output: { decisions: z.array(decisionRow) },
    async run({ of, symbol: text, refused_only: refusedOnly, limit }, { principal }) {
      const filter = {
        symbol: text === undefined ? undefined : instruments.identify(text).symbol,
        accepted: refusedOnly ? false : undefined,
      };
      const views =
        of === "rules"
          ? (await ruleDecisions(principal.userId, filter, limit)).map(ruleDecisionView)
          : (await alerts.decisions(filter, limit)).map(decisionView);
      const decisions = views.map(rowOf);
      return { decisions, synthetic, source: STORED, as_of: isoTime(now()), stale: false };
    },
  });
  return [listDecisions];
}

function rowOf(view: z.output<typeof decisionSchema>): z.input<typeof decisionRow> {
  const refusal = view.verdicts.find(({ passed }) => !passed);
  return {
    symbol: view.symbol,
    interval: view.interval,
    about: cut(view.pattern ?? view.rule_name ?? "", NAME_MOST),
    bar_time: view.bar_time,
    alerted: view.accepted,
    refused_by: view.rule,
    because:
      refusal === undefined
        ? null
        : `${refusal.description} (found ${String(refusal.value)}, demanded ${String(refusal.limit)})`,
    decided_at: view.decided_at,
  };
}

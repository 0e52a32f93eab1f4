import { z } from "zod";
import { RULE_LIMITS } from "../../core/rules/condition.js";
import { FREQUENCIES, QUIET_POLICIES, TRIGGER_PHASES } from "../../core/rules/trigger.js";
import { instantText, isoTime, nameText, wholeNumberText } from "../../platform/http.js";
import { intervalText, provenance, symbolText } from "../candles/schema.js";
import { indicatorSchema } from "../catalogue/schema.js";
import { MOST_SYMBOLS } from "./rules.js";
import { type FiringPlace, type StoredFiring, WATCHES } from "./store.js";

/** A condition: an expression, or the JSON form that it stands for, whose parts are read and named by the rules themselves. */
const conditionBody = z
  .union([z.string().min(1).max(RULE_LIMITS.characters), z.record(z.string(), z.unknown())])
  .describe(
    "An expression such as `close crosses above sma(20)`, or the JSON form of GET /api/rules/vocabulary",
  );
const conditionSchema = z.record(z.string(), z.unknown()).describe("The JSON form");

const zoneText = z
  .string()
  .min(1)
  .max(60)
  .transform((name, context) => {
    const zone = canonicalZone(name);
    if (zone === null) context.addIssue("must be a time zone of the IANA database, such as America/New_York");
    return zone ?? z.NEVER;
  })
  .meta({ examples: ["America/New_York", "UTC"] });

const CLOCK = /^([01]\d|2[0-3]):([0-5]\d)$/;
const clockText = z.string().regex(CLOCK, "must be a time of the day such as 22:00");

export const quietSchema = z.object({
  zone: z.string(),
  from: clockText,
  until: clockText.describe("Not included; before `from` on the next day"),
  policy: z.enum(QUIET_POLICIES).describe("hold: told when they are over; drop: not told at all"),
});
export const digestSchema = z.object({ zone: z.string(), at: clockText });

/** When a rule fires, beside its condition. */
const termFields = {
  frequency: z.enum(FREQUENCIES).default("once_per_bar"),
  cooldown_s: z.number().int().min(0).max(31_536_000).default(0).describe("After a firing, by symbol"),
  quiet_hours: quietSchema
    .extend({ zone: zoneText })
    .strict()
    .refine(({ from, until }) => from !== until, { path: ["until"], message: "must differ from `from`" })
    .nullable()
    .default(null),
  digest: digestSchema
    .extend({ zone: zoneText })
    .strict()
    .nullable()
    .default(null)
    .describe(
      "Firings are held and told together at this time of each day; where it lies in the quiet hours, when they are over",
    ),
};

const logicFields = {
  when: conditionBody,
  rearm: conditionBody
    .nullable()
    .default(null)
    .describe(
      "What must hold before it may fire again, or at all where `when` holds as the rule begins to look; without it, that `when` is over",
    ),
};

export const parseBody = z.strictObject({ when: conditionBody });
export const parsedSchema = z
  .object({ expression: z.string(), condition: conditionSchema, lead_bars: z.number().int() })
  .meta({ id: "ParsedRule" });

export const MOST_TEST_SYMBOLS = 10;
export const MOST_TEST_BARS = 5_000;
export const testBody = z.strictObject({
  ...logicFields,
  ...termFields,
  symbols: z.array(symbolText).min(1).max(MOST_TEST_SYMBOLS),
  interval: intervalText.prefault("1d"),
  bars: z.number().int().min(1).max(MOST_TEST_BARS).default(500).describe("The newest closed bars"),
});

const nextSchema = z.object({
  bars: z.number().int(),
  percent: z.number().nullable().describe("From the close; null while there is no such bar"),
});
const symbolTestSchema = z.object({
  symbol: z.string(),
  error: z.string().nullable().describe("Why nothing could be tried on it"),
  count: z.number().int(),
  bars: z.number().int().describe("Bars that were looked at"),
  from: z.iso.datetime().nullable(),
  to: z.iso.datetime().nullable(),
  holds: z.number().int().describe("Bars at which the condition holds"),
  unknown: z.number().int().describe("Bars at which it is unknown, and the rule does not fire"),
  unknown_for: z.array(z.object({ operand: z.string(), bars: z.number().int() })),
  suppressed: z.record(z.string(), z.number().int()).describe("Edges that did not fire, by reason"),
  firings: z
    .array(
      z.object({
        bar: z.iso.datetime(),
        closed_at: z.iso.datetime(),
        price: z.number(),
        told_at: z.iso.datetime().nullable().describe("Null for at once"),
        next: z.array(nextSchema),
      }),
    )
    .describe("The newest of them"),
  ...provenance,
  as_of: provenance.as_of.nullable(),
});

export const testedSchema = z
  .object({
    expression: z.string(),
    interval: z.string(),
    count: z.number().int().describe("How often it would have fired"),
    next: z
      .array(
        z.object({
          bars: z.number().int(),
          known: z.number().int().describe("Firings after which there were so many bars"),
          mean_percent: z.number().nullable(),
          risen: z.number().nullable().describe("Share after which the close was higher"),
        }),
      )
      .describe("What followed the firings of all symbols"),
    steps: z.number().int(),
    symbols: z.array(symbolTestSchema),
  })
  .meta({ id: "RuleTest" });

export const ruleBody = z.strictObject({
  name: nameText(100),
  ...logicFields,
  ...termFields,
  symbols: z.array(symbolText).min(1).max(MOST_SYMBOLS),
  interval: intervalText.prefault("1d"),
  watch: z
    .enum(WATCHES)
    .default("close")
    .describe("close: bars as they close; intrabar: quotes within the bar that forms, too"),
  expires_at: instantText.nullable().default(null),
});

export const ruleParams = z.strictObject({ id: z.uuid() });

const placeForm = z.union([
  instantText.transform((firedAt): FiringPlace => ({ firedAt, id: null })),
  z.tuple([instantText, z.uuid()]).transform(([firedAt, id]): FiringPlace => ({ firedAt, id })),
]);
const beforeText = z
  .string()
  .max(100)
  .transform((text, context): FiringPlace => {
    const [instant, ...ids] = text.split("~");
    const read = placeForm.safeParse(ids.length === 0 ? instant : [instant, ...ids]);
    if (!read.success) context.addIssue("must be an instant, or what the page before gave as next");
    return read.data ?? z.NEVER;
  });

/** What a page that goes on behind a firing is asked for by. */
export function placeText({ firedAt, id }: Pick<StoredFiring, "firedAt" | "id">): string {
  return `${isoTime(firedAt)}~${id}`;
}

export const firingsQuery = z.strictObject({
  rule_id: z.uuid().optional().describe("Of this rule alone, though it be deleted"),
  before: beforeText
    .optional()
    .describe("What the page before gave as next; or an instant, for those that fired earlier than it"),
  limit: wholeNumberText(1, 200).prefault("50"),
});

const time = z.iso.datetime().nullable();
export const ruleSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    expression: z.string(),
    condition: conditionSchema,
    rearm: z.object({ expression: z.string(), condition: conditionSchema }).nullable(),
    interval: z.string(),
    watch: z.enum(WATCHES),
    frequency: z.enum(FREQUENCIES),
    cooldown_s: z.number().int(),
    quiet_hours: quietSchema.nullable(),
    digest: digestSchema.nullable(),
    expires_at: time,
    status: z
      .enum(["active", "paused", "ended"])
      .describe("ended: it has expired, or fired once for each symbol"),
    symbols: z.array(
      z.object({
        symbol: z.string(),
        phase: z
          .enum(TRIGGER_PHASES)
          .describe("new: nothing was seen; armed: waits; held: waits for its condition to be over; done"),
        seen_at: time,
        fired_at: time,
        unknown_for: z.array(z.string()).describe("What was not known when it last looked"),
        suppressed: z.string().nullable().describe("Why the newest edge did not fire"),
        trouble: z.string().nullable().describe("Why it cannot be watched; null while it can"),
      }),
    ),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: "Rule" });

export const firingSchema = z
  .object({
    id: z.string().describe("The same for a firing however often it is computed"),
    rule_id: z.string(),
    name: z.string().describe("Of the rule as it was then, as is its expression"),
    expression: z.string(),
    symbol: z.string(),
    synthetic: z.boolean(),
    interval: z.string(),
    watch: z.enum(WATCHES),
    bar: z.iso.datetime().describe("Open of the bar"),
    ordinal: z.number().int().describe("Number within the bar, from 0 on"),
    fired_at: z.iso.datetime(),
    price: z.number(),
    source: z.string().nullable(),
    due_at: time.describe("When it is to be told; null for at once"),
    told_at: time.describe("Null while it is held"),
  })
  .meta({ id: "RuleFiring" });

export const vocabularySchema = z
  .object({
    kinds: z.array(
      z.object({
        kind: z.string(),
        of: z.enum(["condition", "operand"]),
        form: z.string().describe("As it is written in an expression"),
        description: z.string(),
        fields: z.record(z.string(), z.string()).describe("Those of its JSON form"),
      }),
    ),
    fields: z.array(z.string()),
    facts: z.array(z.object({ name: z.string(), description: z.string() })),
    comparisons: z.array(z.string()),
    signs: z.array(z.string()),
    indicators: z.array(
      indicatorSchema
        .pick({ name: true, title: true, family: true, parameters: true, constraint: true })
        .extend({ outputs: z.array(z.object({ name: z.string(), unit: z.string() })) }),
    ),
    patterns: z.array(
      z.object({ id: z.string(), title: z.string(), family: z.string(), direction: z.string() }),
    ),
    regimes: z.array(z.string()),
    frequencies: z.array(z.string()),
    quiet_policies: z.array(z.string()),
    limits: z.record(z.string(), z.number()),
  })
  .meta({ id: "RuleVocabulary" });

/** The zone of a name in any case, as it is called; null for none. */
function canonicalZone(name: string): string | null {
  // Offsets are zones to the runtime, too, and there are thousands of them.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return null;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

import { z } from "zod";
import { nameText, wholeNumberText } from "../../platform/http.js";
import { symbolText } from "../candles/schema.js";
import { FIELDS_READ } from "./body.js";
import { CALL_STATUSES } from "./call-store.js";
import { isSource } from "./sources.js";
import { HOOK_MODES } from "./store.js";

const terms = {
  name: nameText(60).describe("No two of one user alike; the strategy of its orders"),
  mode: z
    .enum(HOOK_MODES)
    .describe(
      "log keeps calls; notice tells hooks:ID of the stream, too; order places paper orders and tells of them",
    ),
  account_id: z.uuid().nullable().describe("Of its orders; the caller's oldest open account unless given"),
  symbols: z.array(symbolText).max(200).describe("What its orders may be on; everything where it is empty"),
  max_order_value: z
    .number()
    .positive()
    .max(1e12)
    .nullable()
    .describe("Money in an order that opens something"),
  max_orders_a_day: z
    .number()
    .int()
    .min(0)
    .max(100_000)
    .nullable()
    .describe("Orders that open something, by UTC day"),
  sources: z
    .array(z.string().max(60).refine(isSource, "must be an address, a network or tradingview"))
    .max(50)
    .describe(
      "Addresses, networks such as 10.0.0.0/8, and tradingview, that may call; all where it is empty",
    ),
  per_minute: z
    .number()
    .int()
    .min(1)
    .max(600)
    .describe(
      "Calls that are taken within a minute; what comes beyond is answered with 503 and is in the log",
    ),
  dedupe_minutes: z
    .number()
    .int()
    .min(0)
    .max(1_440)
    .describe("The same text within so many minutes is a repetition; one with an id is one for ever"),
  max_age_s: z.number().int().min(5).max(86_400).describe("Seconds after which a call places nothing"),
  enabled: z.boolean(),
};

export const hookBody = z.strictObject({
  ...terms,
  mode: terms.mode.default("log"),
  account_id: terms.account_id.default(null),
  symbols: terms.symbols.default([]),
  max_order_value: terms.max_order_value.default(null),
  max_orders_a_day: terms.max_orders_a_day.default(null),
  sources: terms.sources.default([]),
  per_minute: terms.per_minute.default(60),
  dedupe_minutes: terms.dedupe_minutes.default(1),
  max_age_s: terms.max_age_s.default(300),
  enabled: terms.enabled.default(true),
});
export type HookBody = z.output<typeof hookBody>;

export const hookChanges = z.strictObject(terms).partial();
export type HookChanges = z.output<typeof hookChanges>;

export const hookParams = z.strictObject({ id: z.uuid() });
export const callParams = hookParams.extend({
  call: wholeNumberText(1, 1e15).describe("Number of the call"),
});
export const secretParams = z.strictObject({ secret: z.string().min(1).max(100).describe("Of the hook") });

export const hookSchema = z
  .object({
    id: z.uuid(),
    ...terms,
    account_id: z.uuid().nullable(),
    symbols: z.array(z.string()),
    sources: z.array(z.string()),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: "Hook" });

export const newHookSchema = hookSchema
  .extend({
    secret: z.string().describe("Shown this once"),
    path: z.string().describe("To be posted to; or post to /api/hooks with the secret in the body"),
  })
  .meta({ id: "NewHook" });

const ABOUT_CODES =
  "Why it was refused or turned away. Of what a body says: unreadable (no fields, or more than are read); ambiguous (names of one " +
  "thing that differ, a quantity beside risk or money, a limit_price at the market); type_missing (a limit_price without type); " +
  "ticker_missing, action_missing, quantity_missing, price_missing, stop_loss_missing; symbol_invalid; action_unknown, " +
  "position_unknown, type_unknown; number_invalid (also a list or an object instead of a number); placeholder_unfilled";

export const callSchema = z
  .object({
    id: z.number().int(),
    hook_id: z.uuid(),
    received_at: z.iso.datetime(),
    source: z.string().describe("The address that it came from"),
    content_type: z.string(),
    body: z.string().describe("Without the secret; empty once only its id is kept"),
    given_id: z
      .string()
      .nullable()
      .describe("Of the body; in place of one of more than 200 characters, sha256: and its SHA-256"),
    fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullable(),
    problem: z
      .string()
      .nullable()
      .describe(`Why there are no fields, or not all, and no order: at most ${FIELDS_READ} are read`),
    status: z.enum(CALL_STATUSES),
    duplicate_of: z.number().int().nullable(),
    account_id: z.string().nullable(),
    order_id: z.string().nullable(),
    code: z.string().nullable().describe(ABOUT_CODES),
    detail: z.string().nullable(),
    settled_at: z.iso.datetime().nullable(),
  })
  .meta({ id: "HookCall" });

export const callsQuery = z.strictObject({
  status: z.enum(CALL_STATUSES).optional(),
  before: wholeNumberText(1, 1e15).optional().describe("Calls with smaller numbers"),
  limit: wholeNumberText(1, 500).prefault("50"),
});

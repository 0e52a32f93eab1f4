import { z } from "zod";
import { type Commission, INDIAN_OPTIONS } from "../../core/execution/commission.js";
import type { Slippage } from "../../core/execution/costs.js";
import { roundQuantity } from "../../core/execution/money.js";

/** A share of a value, such as 0.001 for ten basis points. */
const rate = (most: number) =>
  z
    .number()
    .min(0)
    .max(most)
    .refine((value) => roundQuantity(value) === value, "must have at most nine places");
const money = (most: number) => z.number().min(0).max(most);

/** What a broker and an exchange take, in the words of the API. Minimums and caps are an order's. */
export const commissionBody = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("none") }),
    z.strictObject({
      kind: z.literal("per_share"),
      amount: rate(100).describe("A unit, in the account's currency"),
      minimum: money(1_000).default(0),
      maximum_rate: rate(1)
        .nullable()
        .default(null)
        .describe("Most of the order's value; null without a cap"),
    }),
    z.strictObject({
      kind: z.literal("percent"),
      rate: rate(0.05).describe("Share of the value: 0.001 for ten basis points"),
      minimum: money(1_000).default(0),
    }),
    z.strictObject({ kind: z.literal("maker_taker"), maker_rate: rate(0.05), taker_rate: rate(0.05) }),
    z.strictObject({
      kind: z.literal("indian_options"),
      brokerage_rate: rate(0.05).default(INDIAN_OPTIONS.brokerageRate),
      brokerage_cap: money(1_000).default(INDIAN_OPTIONS.brokerageCap),
      stt_rate: rate(0.05).default(INDIAN_OPTIONS.sttRate).describe("On sales"),
      exchange_rate: rate(0.05).default(INDIAN_OPTIONS.exchangeRate),
      gst_rate: rate(1).default(INDIAN_OPTIONS.gstRate).describe("On brokerage and what the exchange takes"),
      sebi_rate: rate(0.05).default(INDIAN_OPTIONS.sebiRate),
      stamp_rate: rate(0.05).default(INDIAN_OPTIONS.stampRate).describe("On purchases"),
    }),
  ])
  .meta({ id: "PaperCommission" });

/** How far a taker's price is moved against it beside half the spread. */
export const slippageBody = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("none") }),
    z.strictObject({ kind: z.literal("fixed"), bps: z.number().min(0).max(1_000) }),
    z.strictObject({
      kind: z.literal("volatility"),
      share: rate(10).describe("Of the average range of a bar"),
      else_bps: z.number().min(0).max(1_000).default(0).describe("Where that range is not known: at quotes"),
    }),
    z.strictObject({
      kind: z.literal("volume_share"),
      impact: rate(100).describe("Times the square of the share of a bar's volume; nothing at quotes"),
    }),
  ])
  .meta({ id: "PaperSlippage" });

export function commissionFrom(body: z.output<typeof commissionBody>): Commission {
  switch (body.kind) {
    case "none":
    case "percent":
      return body;
    case "per_share": {
      const { maximum_rate: maximumRate, ...rest } = body;
      return { ...rest, maximumRate };
    }
    case "maker_taker":
      return { kind: body.kind, makerRate: body.maker_rate, takerRate: body.taker_rate };
    case "indian_options":
      return {
        kind: body.kind,
        brokerageRate: body.brokerage_rate,
        brokerageCap: body.brokerage_cap,
        sttRate: body.stt_rate,
        exchangeRate: body.exchange_rate,
        gstRate: body.gst_rate,
        sebiRate: body.sebi_rate,
        stampRate: body.stamp_rate,
      };
  }
}

export function slippageFrom(body: z.output<typeof slippageBody>): Slippage {
  if (body.kind !== "volatility") return body;
  return { kind: body.kind, share: body.share, elseBps: body.else_bps };
}

export function commissionView(commission: Commission): z.output<typeof commissionBody> {
  switch (commission.kind) {
    case "none":
    case "percent":
      return commission;
    case "per_share": {
      const { maximumRate, ...rest } = commission;
      return { ...rest, maximum_rate: maximumRate };
    }
    case "maker_taker":
      return { kind: commission.kind, maker_rate: commission.makerRate, taker_rate: commission.takerRate };
    case "indian_options":
      return {
        kind: commission.kind,
        brokerage_rate: commission.brokerageRate,
        brokerage_cap: commission.brokerageCap,
        stt_rate: commission.sttRate,
        exchange_rate: commission.exchangeRate,
        gst_rate: commission.gstRate,
        sebi_rate: commission.sebiRate,
        stamp_rate: commission.stampRate,
      };
  }
}

export function slippageView(slippage: Slippage): z.output<typeof slippageBody> {
  if (slippage.kind !== "volatility") return slippage;
  return { kind: slippage.kind, share: slippage.share, else_bps: slippage.elseBps };
}

/** In percent, where the commission is such a share or none; null where it is of another kind. */
export function commissionPercent(commission: Commission): number | null {
  if (commission.kind === "none") return 0;
  return commission.kind === "percent" ? roundQuantity(100 * commission.rate) : null;
}

/** In basis points, where slippage is fixed or none; null where it is of another kind. */
export function bpsOf(slippage: Slippage): number | null {
  if (slippage.kind === "none") return 0;
  return slippage.kind === "fixed" ? slippage.bps : null;
}

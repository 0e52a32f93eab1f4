import { z } from "zod";
import { type OrderTerms, termsOf } from "../../core/execution/order.js";
import type { PaperDesk } from "../../features/paper-trades/feature.js";
import type { AskedOrder } from "../../features/paper-trades/previews.js";
import { rehearse } from "../../features/paper-trades/rehearsal.js";
import type { Risk } from "../../features/risk/risk.js";
import { checkView } from "../../features/risk/views.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import { ledgerProvenance, orderFields, orderRow } from "./account-tools.js";
import { accountId, cut, digits, figure, inDigits, symbol, time } from "./schema.js";
import { defineTool, type Tool } from "./tool.js";

export interface OrderToolOptions {
  readonly paper: Pick<
    PaperDesk,
    "withLimits" | "accountOf" | "trading" | "previews" | "identify" | "marketNow"
  >;
  readonly risk: Pick<Risk, "check">;
  readonly now: () => number;
}

export function orderTools(options: OrderToolOptions): readonly Tool[] {
  return [previewTool(options), placeTool(options), cancelTool(options)];
}

const price = z.number().positive().max(1e12);

const order = {
  symbol,
  side: z.enum(["buy", "sell"]),
  quantity: z.number().positive().max(1e12).describe("Units; fractions where the instrument has them"),
  type: z.enum(["market", "limit", "stop", "stop_limit"]).default("market"),
  limit_price: price.optional().describe("Of limit and stop_limit"),
  stop_price: price.optional().describe("Of stop and stop_limit"),
  time_in_force: z
    .enum(["day", "gtc"])
    .optional()
    .describe("day unless the order has a stop_loss or take_profit, which last until canceled"),
  stop_loss: price.optional().describe("A stop that comes to work when the entry is filled"),
  take_profit: price.optional().describe("A target that comes to work when the entry is filled"),
  account_id: accountId,
};
const orderInput = z.strictObject(order);
type OrderInput = z.output<typeof orderInput>;

/** The order in its one spelling, in which a preview and what is placed are compared. */
function askedOf(input: OrderInput, known: string) {
  const legs = input.stop_loss !== undefined || input.take_profit !== undefined;
  return {
    symbol: known,
    side: input.side,
    quantity: input.quantity,
    type: input.type,
    limit_price: input.limit_price ?? null,
    stop_price: input.stop_price ?? null,
    time_in_force: input.time_in_force ?? (legs ? "gtc" : "day"),
    stop_loss: input.stop_loss ?? null,
    take_profit: input.take_profit ?? null,
  } as const satisfies AskedOrder;
}
type Asked = ReturnType<typeof askedOf>;

function termsFrom({ stop_loss: stop, take_profit: target, ...asked }: Asked): Omit<OrderTerms, "id"> {
  const { symbol: its, side, quantity, type, limit_price: limitPrice, stop_price: stopPrice } = asked;
  const { id: _id, ...terms } = termsOf({ id: "", symbol: its, side, quantity });
  const legs = (stop === null ? 0 : 1) + (target === null ? 0 : 1);
  return {
    ...terms,
    ...{ type, limitPrice, stopPrice, timeInForce: asked.time_in_force },
    orderClass: legs === 0 ? "simple" : legs === 1 ? "oto" : "bracket",
    takeProfit: target === null ? null : { limitPrice: target },
    stopLoss: stop === null ? null : { stopPrice: stop, limitPrice: null },
  };
}

const CAUSE = { origin: "native" } as const;
const finding = z.object({ code: z.string(), message: z.string(), value: figure, limit: figure });
const FINDINGS_MOST = 10;

const PREVIEW = {
  account_id: z.string(),
  order: z.object({
    symbol: z.string(),
    side: z.enum(["buy", "sell"]),
    quantity: z.number(),
    type: z.string(),
    limit_price: figure,
    stop_price: figure,
    time_in_force: z.string(),
    stop_loss: figure,
    take_profit: figure,
  }),
  would: z
    .object({
      state: z.string(),
      filled: z.number(),
      average_price: figure,
      fees: z.number(),
      waits: z.string().nullable().describe("Why it would not meet a price now"),
    })
    .describe("What would become of it now"),
  price: z.number().describe("Of the quote now"),
  estimated_value: z.number().describe("Quantity at the price it would be filled at or waits for"),
  risk: z.object({
    score: z.number().int().describe("0..100"),
    reward_per_risk: figure,
    refusals: z
      .array(finding)
      .describe("What the pre-trade check has against it; binding where the owner demands the check"),
    warnings: z.array(finding),
    unchecked: z.array(z.string()),
  }),
  confirm_token: z.string().describe("For place_order, once, with the same arguments"),
  expires_at: time,
};

function previewTool({ paper, risk, now }: OrderToolOptions): Tool {
  return defineTool({
    name: "preview_order",
    title: "Preview a paper order",
    description:
      "First of two steps to trade on paper: shows what an order would do now (fill or wait, cost, limits, risk) without placing it, and gives a confirm_token for place_order. Show the preview to the user before placing it.",
    access: "trader",
    trades: true,
    effect: "reads",
    input: orderInput,
    output: PREVIEW,
    async run(input, { principal: { userId } }) {
      const { row, settings } = await paper.withLimits(userId, input.account_id);
      const asked = askedOf(input, paper.identify(input.symbol));
      const { symbol: its, side, quantity, stop_loss: stop, take_profit: target } = asked;
      const entry = asked.limit_price ?? asked.stop_price;
      const plan = { symbol: its, side, quantity, entry, stop, target, pattern: null, equity: null };
      const found = await risk.check(userId, { ...plan, interval: "1d", ttlMs: CHECK_MS });
      const checked = found.check.refusals.length === 0;
      const request = { terms: termsFrom(asked), cause: CAUSE, settings, confirmed: checked };
      const view = checkView(found, now());
      const placed = orderRow(await rehearsed(() => rehearse(paper.trading, row, request), view.refusals));
      const { token, expiresAt } = await paper.previews.issue({ userId, accountId: row.id, asked, checked });
      return {
        ...{ account_id: row.id, order: asked, confirm_token: token, expires_at: isoTime(expiresAt) },
        would: {
          state: placed.state,
          filled: placed.filled,
          average_price: placed.average_price,
          fees: placed.fees,
          waits: placed.waits,
        },
        price: inDigits(view.current_price),
        estimated_value: inDigits(quantity * (entry ?? placed.average_price ?? view.current_price)),
        risk: {
          score: view.risk_score,
          reward_per_risk: digits(view.rr),
          refusals: view.refusals.slice(0, FINDINGS_MOST),
          warnings: view.warnings.slice(0, FINDINGS_MOST),
          unchecked: view.unchecked,
        },
        ...{ synthetic: view.synthetic, source: view.source, stale: view.stale },
        as_of: isoTime(found.quote.time),
      };
    },
  });
}

/** Of the token of the check itself, which nobody is given. */
const CHECK_MS = 60_000;

/** @throws {AppError} `order_refused` with what the check has against an order whose owner demands that it has nothing. */
async function rehearsed<T>(
  work: () => Promise<T>,
  refusals: readonly { code: string; message: string }[],
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "confirmation_refused") throw error;
    const problems = refusals.map(({ code, message }) => ({ path: "order", message, code }));
    const detail = `The pre-trade check that the settings demand refuses it: ${refusals.map(({ message }) => message).join("; ")}`;
    throw new AppError("order_refused", cut(detail, 600), { problems, cause: error });
  }
}

function placeTool({ paper }: OrderToolOptions): Tool {
  return defineTool({
    name: "place_order",
    title: "Place a previewed paper order",
    description:
      "Second of two steps: places on paper exactly the order that preview_order showed. Needs its confirm_token and the same arguments; a changed argument, an old token or a second use is refused. Call it only after the user agreed.",
    access: "trader",
    trades: true,
    effect: "destroys",
    input: z.strictObject({
      ...order,
      confirm_token: z.string().max(200).default("").describe("Required: the confirm_token of preview_order"),
    }),
    output: { account_id: z.string(), ...orderFields },
    async run({ confirm_token: token, ...input }, { principal: { userId } }) {
      if (token === "") throw new AppError("confirmation_refused", "missing: confirm_token");
      const { row, settings } = await paper.withLimits(userId, input.account_id);
      const asked = askedOf(input, paper.identify(input.symbol));
      const { checked } = await paper.previews.examine(token, { userId, accountId: row.id, asked });
      const request = { terms: termsFrom(asked), cause: CAUSE, settings, confirmed: checked };
      const placed = await paper.trading.submit(row, request, (sql, { order: { id } }) =>
        paper.previews.use(sql, token, id),
      );
      return {
        account_id: row.id,
        ...orderRow(placed),
        ...ledgerProvenance(row.synthetic, paper.marketNow()),
      };
    },
  });
}

function cancelTool({ paper }: OrderToolOptions): Tool {
  return defineTool({
    name: "cancel_order",
    title: "Cancel a paper order",
    description:
      "Cancels an open paper order by the order_id of list_orders; its stop and target go with it.",
    access: "trader",
    trades: true,
    effect: "destroys",
    input: z.strictObject({ order_id: z.string().min(1).max(80), account_id: accountId }),
    output: { account_id: z.string(), ...orderFields },
    async run({ order_id, account_id }, { principal: { userId } }) {
      const row = await paper.accountOf(userId, account_id);
      const canceled = await paper.trading.cancel(row, order_id);
      return {
        account_id: row.id,
        ...orderRow(canceled),
        ...ledgerProvenance(row.synthetic, paper.marketNow()),
      };
    },
  });
}

import { z } from "zod";
import { isTerminal } from "../../core/execution/states.js";
import type { PaperDesk } from "../../features/paper-trades/feature.js";
import type { OrderNow } from "../../features/paper-trades/placing.js";
import { orderView, portfolioView } from "../../features/paper-trades/views.js";
import { isoTime } from "../../platform/http.js";
import { accountId, atMost, cut, figure, inDigits, symbol, time } from "./schema.js";
import { defineTool, type Provenance, type Tool } from "./tool.js";

export interface AccountToolOptions {
  readonly paper: Pick<PaperDesk, "accountOf" | "book" | "identify" | "marketNow">;
}

/** Of what the ledger of paper accounts knows: it is always as of now. */
export function ledgerProvenance(synthetic: boolean, nowMs: number): Provenance {
  return { synthetic, source: "paper ledger", as_of: isoTime(nowMs), stale: false };
}

export const orderFields = {
  order_id: z.string(),
  symbol: z.string(),
  side: z.enum(["buy", "sell"]),
  type: z.string(),
  time_in_force: z.string(),
  state: z.string(),
  quantity: figure,
  filled: z.number(),
  average_price: figure,
  fees: z.number(),
  limit_price: figure,
  stop_price: figure,
  stop_loss: figure.describe("Of the leg that protects it"),
  take_profit: figure,
  waits: z.string().nullable().describe("Why it has met no price yet"),
  reason: z.string().nullable().describe("Why it ended unfilled"),
  submitted_at: time,
};

/** An order in the words of tools. */
export function orderRow(placed: OrderNow) {
  const view = orderView(placed);
  const leg = (role: string) => view.legs.find((each) => each.role === role);
  return {
    order_id: view.id,
    symbol: view.symbol,
    side: view.side,
    type: view.type,
    time_in_force: view.time_in_force,
    state: view.state,
    quantity: view.quantity,
    filled: view.filled,
    average_price: view.average_price,
    fees: view.fees,
    limit_price: view.limit_price,
    stop_price: view.stop_price,
    stop_loss: leg("stop")?.stop_price ?? null,
    take_profit: leg("target")?.limit_price ?? null,
    waits: view.waits === null ? null : cut(view.waits, 200),
    reason: view.reason === null ? null : cut(view.reason, 200),
    submitted_at: view.submitted_at,
  };
}

const positionRow = z.object({
  symbol: z.string(),
  quantity: z.number().describe("Below 0 for a short one"),
  average_entry: z.number(),
  price: z.number(),
  value: z.number(),
  unrealised: z.number(),
  stale: z.boolean(),
});

export function accountTools(options: AccountToolOptions): readonly Tool[] {
  return [portfolioTool(options), ordersTool(options)];
}

function portfolioTool({ paper }: AccountToolOptions): Tool {
  return defineTool({
    name: "get_portfolio",
    title: "Paper portfolio",
    description:
      "Cash, equity, buying power and open positions of the caller's paper account, the largest positions first.",
    access: "viewer",
    effect: "reads",
    input: z.strictObject({
      account_id: accountId,
      limit: atMost(50, 15).describe("Positions to list, at most 50"),
    }),
    output: {
      account_id: z.string(),
      currency: z.string(),
      cash: z.number(),
      equity: z.number(),
      buying_power: z.number(),
      realised: z.number(),
      unrealised: z.number(),
      total_pnl: z.number(),
      halted: z.string().nullable().describe("Why nothing may be opened"),
      positions: z.array(positionRow),
      positions_total: z.number().int(),
    },
    async run({ account_id, limit }, { principal }) {
      const account = await paper.accountOf(principal.userId, account_id);
      const view = portfolioView(await paper.book.portfolio(account), paper.marketNow());
      const held = Object.entries(view.positions).sort(
        ([, a], [, b]) => Math.abs(b.value) - Math.abs(a.value),
      );
      return {
        account_id: view.account_id,
        currency: view.currency,
        cash: view.cash,
        equity: view.equity,
        buying_power: view.buying_power,
        realised: view.realised,
        unrealised: view.unrealised,
        total_pnl: view.total_pnl,
        halted: view.halted,
        positions: held.slice(0, limit).map(([name, position]) => ({
          symbol: name,
          quantity: position.quantity,
          average_entry: inDigits(position.avg_entry),
          price: inDigits(position.price),
          value: inDigits(position.value),
          unrealised: inDigits(position.pnl),
          stale: position.stale,
        })),
        positions_total: held.length,
        ...ledgerProvenance(view.synthetic, paper.marketNow()),
        stale: held.some(([, position]) => position.stale),
      };
    },
  });
}

function ordersTool({ paper }: AccountToolOptions): Tool {
  return defineTool({
    name: "list_orders",
    title: "Paper orders",
    description:
      "Orders of the caller's paper account, newest first: open ones by default, or closed, or all.",
    access: "viewer",
    effect: "reads",
    input: z.strictObject({
      status: z.enum(["open", "closed", "all"]).default("open"),
      symbol: symbol.optional(),
      limit: atMost(50, 10),
      account_id: accountId,
    }),
    output: { account_id: z.string(), orders: z.array(z.object(orderFields)) },
    async run({ status, symbol: text, limit, account_id }, { principal }) {
      const account = await paper.accountOf(principal.userId, account_id);
      const wanted = text === undefined ? null : paper.identify(text);
      const orders = await paper.book.orders(
        account,
        ({ symbol: its, state }) =>
          (wanted === null || its === wanted) &&
          (status === "all" || isTerminal(state) === (status === "closed")),
        limit,
      );
      return {
        account_id: account.id,
        orders: orders.map(orderRow),
        ...ledgerProvenance(account.synthetic, paper.marketNow()),
      };
    },
  });
}

import { DAY_MS } from "../../core/market/day.js";
import { calendarOf } from "../../core/market/session.js";
import { AppError } from "../../platform/errors.js";
import { type WalkForwardOrder, walkForwardOrder } from "./jobs-order.js";
import { symbolsOf } from "./order.js";
import type { SeriesParts } from "./series.js";
import { countBars, stretchOf } from "./stretch.js";

const DAYS: Readonly<Record<string, number>> = { d: 1, w: 7, mo: 30.4375, y: 365.25 };
/** Bars that are counted of a time. */
const MOST = 100_000;

/**
 * An order in the names of the report: what existing clients say in other words, and times in bars.
 * @throws {AppError} `invalid_request` for what is said twice, and for a time of too few or too many bars.
 */
export function plainWalk(
  parts: Pick<SeriesParts, "instruments" | "now">,
  { strategy, train_period, test_period, ...order }: WalkForwardOrder,
): WalkForwardOrder {
  if (strategy !== undefined && (order.strategy_id ?? strategy) !== strategy) {
    throw new AppError("invalid_request", "body strategy: is another name for strategy_id; give one of them");
  }
  const strategy_id = strategy ?? order.strategy_id;
  return {
    ...order,
    ...(strategy_id === undefined ? {} : { strategy_id }),
    ...barsOf(parts, order, "train", train_period),
    ...barsOf(parts, order, "test", test_period),
  };
}

function barsOf(
  parts: Pick<SeriesParts, "instruments" | "now">,
  order: WalkForwardOrder,
  part: "train" | "test",
  period: number | string | undefined,
): Partial<Pick<WalkForwardOrder, "train_bars" | "test_bars">> {
  if (period === undefined) return {};
  const name = `${part}_bars` as const;
  const schema = walkForwardOrder.shape[name];
  if (order[name] !== schema.parse(undefined)) {
    throw new AppError("invalid_request", `body ${part}_period: is in place of ${name}; give one of them`);
  }
  const [, count, unit = ""] = /^(\d+)(\D*)$/.exec(String(period)) ?? [];
  const days = DAYS[unit];
  const bars =
    days === undefined
      ? Number(count)
      : barsBefore(parts, symbolsOf(order)[0], order, Number(count) * days * DAY_MS);
  const { data, error } = schema.safeParse(bars);
  if (data !== undefined) return { [name]: data };
  const detail = `body ${part}_period: ${period} is ${bars} bars; ${error?.issues[0]?.message ?? "too many"}`;
  throw new AppError("invalid_request", detail);
}

/** Bars that a length of time before the end of an order has, by the calendar of a symbol. */
function barsBefore(
  { instruments, now }: Pick<SeriesParts, "instruments" | "now">,
  symbol: string,
  order: WalkForwardOrder,
  lengthMs: number,
): number {
  const { calendar } = instruments.identify(symbol);
  const { toMs } = stretchOf(order, now(), calendarOf(calendar));
  return countBars(calendar, order.interval, toMs - lengthMs, toMs, MOST);
}

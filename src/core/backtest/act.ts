import { worthOf } from "../execution/account.js";
import { roundQuantity, toMicros } from "../execution/money.js";
import { type OrderTerms, termsOf } from "../execution/order.js";
import type { Intent, Lane, Run } from "./lane.js";
import { feesOf, type Opening, priceAtOpen, sizeEntry, unitsFor, unitsOfShare } from "./stake.js";

/** What an account has to put into entries at one open, micros. */
export interface Means {
  /** All it is worth at the open. */
  readonly equity: number;
  /** Cash that is not put aside; what entries of other symbols take and what closes bring is counted. */
  free: number;
}

/** Carries out what is intended for a symbol at the open of bar `i`. @param shares how many symbols share the equity. */
export function act(run: Run, lane: Lane, i: number, means: Means, shares: number): void {
  const { intent } = lane;
  if (intent === null) return;
  const at = lane.facts(i - 1).until;
  const { does, way, entry } = intent;
  if (does === "weigh") {
    lane.intent = null;
    weigh(run, lane, intent, i, means);
    return;
  }
  lane.cancelAll(at);
  const against = does === "exit" || lane.held * way < 0;
  const legs = entry.stop !== undefined || entry.target !== undefined;
  // Legs are as large as their entry, so that an order that turns a position cannot have any: it is closed first.
  if (against && (does === "exit" || legs || entry.limit !== undefined)) {
    if (does === "exit") lane.intent = null;
    close(run, lane, intent, i, means);
    return;
  }
  lane.intent = null;
  enter(run, lane, intent, i, means, shares);
}

function openingOf(lane: Lane, i: number): Opening {
  const { open, volume } = lane.bars;
  return { open: open[i], volume: volume[i], range: lane.rangeBefore(i) };
}

/** What a whole order is expected to pay or get at the open, after costs. */
function fillPrice(run: Run, lane: Lane, { id }: Intent, i: number, way: 1 | -1, units: number): number {
  if (run.rules.sizing.price === "close") return lane.mark;
  const fillId = `${id}|b${lane.bars.time[i]}`;
  return priceAtOpen(lane.costs, lane.instrument, way, fillId, units, openingOf(lane, i));
}

function close(run: Run, lane: Lane, intent: Intent, i: number, means: Means): void {
  const { held } = lane;
  if (held === 0) return;
  const units = Math.abs(held);
  const way = held > 0 ? -1 : 1;
  // What was to be entered after it keeps its id for then.
  const id = lane.intent === null ? intent.id : `${intent.id}/close`;
  submit(run, lane, { id, side: way > 0 ? "buy" : "sell", quantity: units }, i, intent);
  const price = fillPrice(run, lane, intent, i, way, units);
  means.free += worthOf(held, price) - feesOf(lane.costs.commission, way, units, price);
}

function enter(run: Run, lane: Lane, intent: Intent, i: number, means: Means, shares: number): void {
  const way = intent.way > 0 ? 1 : -1;
  const closing = Math.abs(lane.held);
  const { account } = run.rules.desk;
  const barred = way < 0 && (account.kind === "cash" || !account.shorting || !lane.instrument.shortable);
  const { units, price } = barred ? NO_UNITS : sized(run, lane, intent, i, means, shares);
  if (units === 0) {
    const reason = barred ? "short_not_allowed" : "stake_too_small";
    run.turned.push({ bar: lane.i, symbol: lane.symbol, orderId: intent.id, reason });
    if (closing > 0) close(run, lane, intent, i, means);
    return;
  }
  submit(run, lane, termsFor(lane, intent, way, roundQuantity(units + closing)), i, intent);
  if (way > 0) means.free -= worthOf(units, price);
}

const NO_UNITS = Object.freeze({ units: 0, price: 0 });

/** Units of an entry and the price that they are expected to have. */
function sized(
  run: Run,
  lane: Lane,
  intent: Intent,
  i: number,
  means: Means,
  shares: number,
): { units: number; price: number } {
  const { stake, buffer, lot } = run.rules.sizing;
  const { limit } = intent.entry;
  const way = intent.way > 0 ? 1 : -1;
  const level = limit === undefined ? Number.NaN : lane.toTick(limit);
  if (stake.kind === "units") return { units: stake.units, price: limit === undefined ? lane.mark : level };
  const isShare = stake.kind === "share";
  const isCash = run.rules.desk.account.kind === "cash";
  return sizeEntry(
    {
      way,
      held: lane.held,
      rest: means.equity - worthOf(lane.held, lane.mark),
      share: isShare ? (stake.share ?? 1 / shares) * (1 - buffer) : null,
      amount: isShare ? 0 : toMicros(stake.amount),
      most: isCash ? means.free : Number.POSITIVE_INFINITY,
      mark: lane.mark,
      commission: lane.costs.commission,
      lot: Math.max(lot, lane.instrument.lot),
    },
    (units) => (limit === undefined ? fillPrice(run, lane, intent, i, way, units) : level),
  );
}

function termsFor(lane: Lane, { id, entry }: Intent, way: 1 | -1, quantity: number) {
  const { limit, stop, target } = entry;
  const side = way > 0 ? ("buy" as const) : ("sell" as const);
  const legs = Number(stop !== undefined) + Number(target !== undefined);
  return {
    id,
    side,
    quantity,
    ...(limit === undefined ? {} : { type: "limit" as const, limitPrice: lane.toTick(limit) }),
    orderClass: (["simple", "oto", "bracket"] as const)[legs],
    stopLoss: stop === undefined ? null : { stopPrice: lane.toTick(stop), limitPrice: null },
    takeProfit: target === undefined ? null : { limitPrice: lane.toTick(target) },
  };
}

function weigh(run: Run, lane: Lane, intent: Intent, i: number, means: Means): void {
  const { sizing, desk } = run.rules;
  const { held } = lane;
  const { way: share } = intent;
  const step = Math.max(sizing.lot, lane.instrument.lot);
  const price = fillPrice(run, lane, intent, i, share >= 0 ? 1 : -1, Math.abs(held));
  const whole = means.equity * (1 - sizing.buffer);
  let target = unitsOfShare(whole, share, price, step);
  // As LEAN has it: what is held in the end is a share of what the fees of getting there leave.
  for (let round = 0; round < 2; round++) {
    const units = Math.abs(roundQuantity(target - held));
    target = unitsOfShare(
      whole - feesOf(lane.costs.commission, share >= 0 ? 1 : -1, units, price),
      share,
      price,
      step,
    );
  }
  let change = roundQuantity(target - held);
  const isIncrease = Math.abs(target) > Math.abs(held);
  if (isIncrease && change > 0 && desk.account.kind === "cash") {
    change = Math.min(change, unitsFor(means.free, price, 1, lane.costs.commission, step, 0));
  }
  lane.cancelAll(lane.facts(i - 1).until);
  if (change === 0) return;
  const way = change > 0 ? 1 : -1;
  const units = Math.abs(change);
  submit(run, lane, { id: intent.id, side: way > 0 ? "buy" : "sell", quantity: units }, i, intent);
  means.free -= worthOf(change, price) + feesOf(lane.costs.commission, way, units, price);
}

/** Submits an order between the close of bar `i - 1` and the open of bar `i`. */
function submit(
  run: Run,
  lane: Lane,
  terms: Pick<OrderTerms, "id" | "side"> & Partial<Omit<OrderTerms, "symbol" | "timeInForce">>,
  i: number,
  { entry }: Intent,
): void {
  const { symbol, instrument } = lane;
  // Orders that are not filled at once stay, so that a bar outside the session does not end them.
  const whole = Number.isInteger(terms.quantity) || instrument.fractions === "free";
  const full = termsOf({ symbol, timeInForce: whole ? "gtc" : "day", ...terms });
  lane.tell(full.id, run.desk.submit(full, lane.moment(i - 1)), entry.why ?? null);
}

/** Whether what is intended for a symbol gives back money: it is done before what takes some. */
export function isReduction({ intent, held, mark }: Lane, equity: number): boolean {
  if (intent === null || held === 0) return false;
  if (intent.does !== "weigh") return intent.does === "exit";
  const wanted = intent.way * equity;
  const worth = worthOf(held, mark);
  return wanted * worth <= 0 || Math.abs(wanted) < Math.abs(worth);
}

/** Leaves a symbol at the open of its last bar, whatever was intended. */
export function leave(run: Run, lane: Lane, i: number): void {
  lane.intent = null;
  lane.cancelAll(lane.facts(i - 1).until);
  if (lane.held === 0) return;
  const id = `${lane.symbol}/end`;
  const side = lane.held > 0 ? "sell" : "buy";
  const terms = termsOf({ id, symbol: lane.symbol, side, quantity: Math.abs(lane.held), timeInForce: "gtc" });
  lane.tell(id, run.desk.submit(terms, lane.moment(i - 1)), END);
}

/** Leaves a symbol at the close of its newest bar with the costs of a taker, by an order that came a millisecond before. */
export function closeNow(run: Run, lane: Lane): void {
  const { symbol, held, bars, i } = lane;
  if (i < 0) return;
  const at = lane.facts(i).until;
  lane.intent = null;
  lane.cancelAll(at);
  if (held === 0) return;
  const price = bars.close[i];
  run.desk.mark(symbol, price);
  const id = `${symbol}/end`;
  const side = held > 0 ? "sell" : "buy";
  const terms = termsOf({ id, symbol, side, quantity: Math.abs(held), timeInForce: "gtc" });
  lane.tell(id, run.desk.submit(terms, { at: at - 1, open: true }), END);
  run.desk.quote(symbol, { time: at, price, bid: null, ask: null, regular: true });
  lane.settle(i);
}

const END = "end of the bars";

import { assert } from "../base/assert.js";
import { bisect } from "../base/inference.js";
import type { EquityDays } from "./equity.js";
import { absent, type Figure, figureOf } from "./figure.js";
import { LEAST_YEARS } from "./returns.js";

/** Money between an account and the outside at the end of a day since 1970-01-01: below 0 what is paid in, above 0 what comes back. */
export interface CashFlow {
  readonly day: number;
  readonly amount: number;
}

/** A year as the rate counts it. */
const YEAR_DAYS = 365;
/** Logarithms of one plus the rate of a year that are looked at, as far as doubles go. */
const BOUND = 700;

export interface MoneyWeighted {
  /** Of a year; none for less than a quarter of one. */
  readonly yearly: Figure;
  /** Of the whole time from the first flow to the last. */
  readonly whole: Figure;
}

/**
 * Flows of an account, with its equity on the last day as what comes back then. As with returns by day, what is paid in
 * is there from before the first trade of a day, and so flows at the end of the day before; what is paid out, at the
 * end of its own. A day with a return then counts once, for this rate as for the growth of a year. Amounts in micros.
 */
export function flowsOf({ day, equity, paidIn, paidOut }: EquityDays): CashFlow[] {
  const byDay = new Map<number, number>();
  const add = (on: number, amount: number) => byDay.set(on, (byDay.get(on) ?? 0) + amount);
  for (let i = 0; i < day.length; i++) {
    const last = i === day.length - 1 ? equity[i] : 0;
    add(day[i] - 1, -paidIn[i]);
    add(day[i], paidOut[i] + last);
  }
  return [...byDay].flatMap(([on, amount]) => (amount === 0 ? [] : [{ day: on, amount }]));
}

/**
 * The money-weighted return: the rate at which flows are worth 0 together, each discounted by its days of 365. None
 * where no rate does it, and none where several do. All rates are found: between two places where its slope is 0 a sum
 * of exponentials is 0 once at most, and the slope has a change of sign less in its amounts.
 * @param flows ascending by day, the last one with what is left.
 */
export function moneyWeighted(flows: readonly CashFlow[]): MoneyWeighted {
  assert(
    flows.every(({ day }, i) => i === 0 || day >= flows[i - 1].day),
    "flows ascend by day",
  );
  const moved = flows.filter(({ amount }) => amount !== 0);
  const first = moved[0]?.day ?? 0;
  const terms = moved.map(({ day, amount }) => ({ years: (day - first) / YEAR_DAYS, amount }));
  const years = terms.at(-1)?.years ?? 0;
  if (years === 0) return neither("no two days with money moved");
  const rates = rootsOf(terms);
  const solved = "what came back worth what was paid in";
  if (rates.length === 0) return neither(`no rate makes ${solved}`);
  if (rates.length > 1) return neither(`${rates.length} rates make ${solved}`);
  const yearly =
    years < LEAST_YEARS ? absent("less than a quarter of a year") : figureOf(Math.expm1(rates[0]));
  return { yearly, whole: figureOf(Math.expm1(rates[0] * years)) };
}

function neither(reason: string): MoneyWeighted {
  return { yearly: absent(reason), whole: absent(reason) };
}

interface Term {
  readonly years: number;
  readonly amount: number;
}

/** Every x at which the sum of `amount * exp(-x * years)` changes its sign. */
function rootsOf(terms: readonly Term[]): number[] {
  const pivot = firstChange(terms);
  if (pivot === null) return [];
  // The slope of the sum times exp(x * pivot): amounts on one side of the pivot change their sign.
  const slope = terms.map(({ years, amount }) => ({ years, amount: amount * (pivot - years) }));
  const bounds = [-BOUND, ...rootsOf(slope.filter(({ amount }) => amount !== 0)), BOUND];
  const roots: number[] = [];
  for (let k = 0; k + 1 < bounds.length; k++) {
    const [from, to] = [bounds[k], bounds[k + 1]];
    const sign = signAt(terms, from);
    if (sign === 0 || sign * signAt(terms, to) >= 0) continue;
    roots.push(bisect((x) => signAt(terms, x) === sign, from, to));
  }
  return roots;
}

/** A time between the first two amounts of different signs; null where all have one. */
function firstChange(terms: readonly Term[]): number | null {
  const k = terms.findIndex(({ amount }, i) => i > 0 && amount * terms[i - 1].amount < 0);
  return k < 0 ? null : (terms[k].years + terms[k - 1].years) / 2;
}

/** Sign of the sum at x; all terms are scaled by the largest, which none can exceed. */
function signAt(terms: readonly Term[], x: number): number {
  const shift = x < 0 ? terms[terms.length - 1].years : terms[0].years;
  let sum = 0;
  for (const { years, amount } of terms) sum += amount * Math.exp(x * (shift - years));
  return Math.sign(sum);
}

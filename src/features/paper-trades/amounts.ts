import { assert } from "../../core/base/assert.js";
import { fromMicros, roundQuantity } from "../../core/execution/money.js";

/** An amount as answers have it: of whole micros, also where it is an average. */
export function moneyOf(micros: number): number {
  return fromMicros(Math.round(micros)) + 0;
}

/** A share in percent as answers have it, of nine places. */
export function percentOf(share: number): number {
  return roundQuantity(100 * share);
}

/** Micros as the decimal that Postgres keeps: `-1234567` as `-1.234567`. */
export function amountText(micros: number): string {
  assert(Number.isSafeInteger(micros), `${micros} is no amount in micros`);
  const digits = String(Math.abs(micros)).padStart(7, "0");
  const text = `${digits.slice(0, -6)}.${digits.slice(-6)}`;
  return micros < 0 ? `-${text}` : text;
}

/** Micros of a decimal with at most six places, as Postgres gives it. */
export function microsOf(text: string): number {
  const match = /^(-?)(\d+)(?:\.(\d{1,6})0*)?$/.exec(text);
  assert(match !== null, `${text} is no amount`);
  const [, sign, whole, part = ""] = match;
  const micros = Number(whole + part.padEnd(6, "0"));
  assert(Number.isSafeInteger(micros), `${text} is beyond what a double holds exactly`);
  return sign === "-" && micros !== 0 ? -micros : micros;
}

/** A quantity or price as a decimal of at most nine places, without an exponent. */
export function decimalText(value: number): string {
  assert(Number.isFinite(value), `${value} is no decimal`);
  const text = String(value);
  return text.includes("e") ? value.toFixed(9) : text;
}

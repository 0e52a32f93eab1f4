import { assert } from "../base/assert.js";

/**
 * Money is a whole number of micros, millionths of the account's currency, in a double: sums are exact and their order
 * does not matter. Prices, quantities and rates are doubles nearest to decimals of at most nine places, and a product
 * is that of the decimals, rounded once, half away from zero.
 */
export const MICROS = 1e6;

/** Sums stay exact below this. */
const LIMIT = 9e15;
/** What a `RangeError` says of more, also of one that comes from another thread. */
export const TOO_MUCH_MONEY = "money is beyond what a double holds exactly";
/** More than four roundings of a double can be wrong by, relative to the product. */
const DOUBT = 1e-15;
const NANOS = 1e9;
/** Doubles about it are whole: a number that it is added to and taken from again is rounded. */
const WHOLE = 1.5 * 2 ** 52;

/** Whether micros are whole and so few that sums of them stay exact. */
export function isExact(micros: number): boolean {
  return Number.isSafeInteger(micros) && Math.abs(micros) < LIMIT;
}

/** Price times quantity in micros; null where they are more than a double holds exactly. */
export function exactMicros(price: number, quantity: number): number | null {
  return Math.abs(price * quantity) * MICROS < LIMIT - 1 ? timesMicros(price, quantity) : null;
}

/** Micros of an amount in the currency. */
export function toMicros(amount: number): number {
  return timesMicros(amount, 1);
}

/** An amount in the currency; for display and for statistics, never to be added up. */
export function fromMicros(micros: number): number {
  return micros / MICROS;
}

/** Price times quantity in micros; the sign is that of the product. @throws {RangeError} `TOO_MUCH_MONEY`. */
export function timesMicros(price: number, quantity: number): number {
  const micros = price * quantity * MICROS;
  const nearest = nearestWhole(micros);
  return isSure(micros, nearest) ? nearest : timesExactly(price, quantity);
}

/** Without a branch on the fraction, which no processor can foresee. Never minus zero. */
export function nearestWhole(micros: number): number {
  return micros + WHOLE - WHOLE;
}

/** Whether a product or quotient of doubles tells how that of the decimals is rounded: neither ties do nor what is large. */
export function isSure(micros: number, nearest: number): boolean {
  return 0.5 - Math.abs(micros - nearest) > Math.abs(micros) * DOUBT;
}

function timesExactly(price: number, quantity: number): number {
  const product = price * quantity;
  assert(!Number.isNaN(product), "a price or a quantity is no number");
  // What is far beyond may be infinite, which is no whole number.
  if (Math.abs(product) * MICROS >= 2 * LIMIT) throw new RangeError(TOO_MUCH_MONEY);
  return counted(divided(nanosOf(price) * nanosOf(quantity), 1_000_000_000_000n), product);
}

/** Micros of 0 or more with the sign of a number. @throws {RangeError} `TOO_MUCH_MONEY`. */
function counted(micros: number, sign: number): number {
  if (micros >= LIMIT) throw new RangeError(TOO_MUCH_MONEY);
  return signed(micros, sign);
}

/** A size of 0 or more with the sign of a number; never minus zero. */
function signed(size: number, sign: number): number {
  return sign < 0 && size !== 0 ? -size : size;
}

/** `micros` times part / whole, as of a cost that is shared out by quantity. `whole` above 0. */
export function shareMicros(micros: number, part: number, whole: number): number {
  if (part === whole) return micros;
  const value = (micros * part) / whole;
  const nearest = nearestWhole(value);
  if (isSure(value, nearest)) return nearest;
  return counted(divided(BigInt(Math.abs(micros)) * nanosOf(part), nanosOf(whole)), value);
}

/** `micros` times a rate a year, for `days` of a year of `yearDays`. */
export function accruedMicros(micros: number, rate: number, days: number, yearDays: number): number {
  return shareMicros(micros, roundQuantity(rate * days), yearDays);
}

/** `micros` times a rate. */
export function rateMicros(micros: number, rate: number): number {
  return shareMicros(micros, rate, 1);
}

/**
 * The nearest double to a decimal of at most nine places, and fewer where doubles have no nine. Halves go away from
 * zero, also where a product of decimals falls short of one by what doubles lack. Never minus zero.
 */
export function roundQuantity(quantity: number): number {
  const size = Math.abs(quantity);
  const scale = scaleOf(size);
  const units = size * scale;
  // Of large quantities a double tells no more than an eighth of a unit, and of the largest less than a half.
  const doubt = units < 1e15 ? Math.min(units * DOUBT, 0.125) : 0;
  const rounded = Math.floor(units + doubt + 0.5) / scale;
  return signed(rounded, quantity);
}

/** Steps of a decimal that doubles of a size tell apart, per unit. */
function scaleOf(size: number): number {
  return size < 4e6 ? NANOS : size < 4e9 ? 1e6 : 1e3;
}

/** The most whole lots in a quantity of 0 or more; of one so large that doubles have no such lots, steps that they have. */
export function floorToLot(quantity: number, lot: number): number {
  const step = Math.max(lot, 1 / scaleOf(quantity));
  // A part of a unit is no double, and how many of them a unit is, is one.
  const parts = Math.round(1 / step);
  const isPart = Math.abs(parts * step - 1) < 1e-12;
  const lots = isPart ? quantity * parts : quantity / step;
  const nearest = Math.round(lots);
  const whole = Math.abs(lots - nearest) <= 1e-6 + lots * DOUBT ? nearest : Math.floor(lots);
  return roundQuantity(isPart ? whole / parts : whole * step);
}

export function isOnLot(quantity: number, lot: number): boolean {
  return roundQuantity(quantity) === quantity && floorToLot(quantity, lot) === quantity;
}

/** The most lots that an amount buys at a price. */
export function quantityFor(micros: number, price: number, lot: number): number {
  if (micros <= 0) return 0;
  const lotNanos = nanosOf(lot);
  const lots = (BigInt(micros) * 1_000_000_000_000n) / (nanosOf(price) * lotNanos);
  return roundQuantity(Number(lots * lotNanos) / NANOS);
}

function nanosOf(value: number): bigint {
  const size = Math.abs(value);
  const scale = scaleOf(size);
  return BigInt(Math.round(size * scale)) * BigInt(NANOS / scale);
}

function divided(numerator: bigint, denominator: bigint): number {
  return Number((2n * numerator + denominator) / (2n * denominator));
}

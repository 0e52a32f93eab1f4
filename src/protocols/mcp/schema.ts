import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";

/** Inputs and figures that tools have in common. */
export const symbol = z
  .string()
  .min(1)
  .max(40)
  .describe("Ticker in any spelling: AAPL, BTC-USD, BTC, EURUSD");
export const interval = z.enum(INTERVALS).default("1d").describe("Length of a bar");
export const detail = z
  .enum(["summary", "full"])
  .default("summary")
  .describe("summary is short; full costs several times the tokens");
export const accountId = z.uuid().optional().describe("Paper account; the caller's usual one without it");
export const time = z.iso.datetime();
export const figure = z.number().nullable();

export const atMost = (most: number, usual: number) =>
  z.number().int().min(1).max(most).default(usual).describe(`At most ${most}`);

/** A text of ours that may grow with what it tells of. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** A figure in eight digits, which is more than models and prices need; null for what is none. */
export function digits(value: number | null | undefined): number | null {
  return value == null || !Number.isFinite(value) ? null : Number(value.toPrecision(8));
}

/** The same of a figure that there always is. */
export const inDigits = (value: number) => Number(value.toPrecision(8));

import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { z } from "zod";
import { MICROS } from "../../core/execution/money.js";
import { SIDES } from "../../core/execution/order.js";
import { TRANSACTION_KINDS, type Transaction } from "../../core/execution/transactions.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import { amountText, microsOf } from "./amounts.js";
import type { OrderCause } from "./cause.js";

/** Most transactions of a file. */
export const MOST_ROWS = 50_000;

const amount = z.number().min(-9e9).max(9e9);
const text = z.string().min(1).max(128).nullable().default(null);

/** A transaction as files have it: money in the account's currency, with what its order was placed for. */
export const rowSchema = z
  .strictObject({
    at: z.iso.datetime(),
    kind: z.enum(TRANSACTION_KINDS),
    symbol: z.string().min(1).max(40).nullable().default(null),
    order: text.describe("Name of the order, its client_order_id"),
    side: z.enum(SIDES).nullable().default(null),
    quantity: z.number().min(-1e12).max(1e12).nullable().default(null),
    price: z.number().positive().max(1e12).nullable().default(null),
    ratio: z.number().positive().max(1e6).nullable().default(null),
    fees: z.record(z.string().regex(/^[a-z_]{1,20}$/), amount).default({}),
    amount: amount.describe("What cash gained"),
    pattern: text,
    strategy: text,
    model: text,
    confidence: z.number().min(0).max(1).nullable().default(null),
  })
  .meta({ id: "PaperTransaction" });
export type Row = z.output<typeof rowSchema>;

export function rowOf(
  { at, kind, symbol, orderId, side, quantity, price, ratio, fees, amount: micros }: Transaction,
  causes: ReadonlyMap<string, OrderCause>,
): Row {
  const cause = orderId === null ? undefined : causes.get(orderId);
  return {
    at: isoTime(at),
    kind,
    symbol,
    order: cause?.clientOrderId ?? orderId,
    side,
    quantity,
    price,
    ratio,
    fees: Object.fromEntries(Object.entries(fees).map(([name, fee]) => [name, fee / MICROS])),
    amount: micros / MICROS,
    pattern: cause?.pattern ?? null,
    strategy: cause?.strategy ?? null,
    model: cause?.model ?? null,
    confidence: cause?.confidence ?? null,
  };
}

const micros = (money: number) => Math.round(money * MICROS) + 0;

/** @param idOf the id of an order by its name. */
export function transactionOf(row: Row, idOf: (name: string) => string): Transaction {
  const { at, kind, symbol, order, side, quantity, price, ratio } = row;
  const fees = Object.fromEntries(Object.entries(row.fees).map(([name, fee]) => [name, micros(fee)]));
  const orderId = order === null ? null : idOf(order);
  return {
    at: Date.parse(at),
    kind,
    symbol,
    orderId,
    side,
    quantity,
    price,
    ratio,
    fees,
    amount: micros(row.amount),
  };
}

const COLUMNS = [
  "at",
  "kind",
  "symbol",
  "order",
  "side",
  "quantity",
  "price",
  "ratio",
  "fees",
  "amount",
  "pattern",
  "strategy",
  "model",
  "confidence",
] as const satisfies readonly (keyof Row)[];

/** Text that a spreadsheet would take for a formula begins with an apostrophe in a file. */
const guarded = (value: string | null) =>
  value !== null && /^[=+\-@\t\r']/.test(value) ? `'${value}` : value;
const unguarded = (value: string) => (/^'[=+\-@\t\r']/.test(value) ? value.slice(1) : value);

export function csvOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => ({
    ...row,
    order: guarded(row.order),
    pattern: guarded(row.pattern),
    strategy: guarded(row.strategy),
    model: guarded(row.model),
    amount: amountText(micros(row.amount)),
    fees: Object.entries(row.fees)
      .map(([name, fee]) => `${name}:${amountText(micros(fee))}`)
      .join(" "),
  }));
  return stringify(lines, { header: true, columns: [...COLUMNS] });
}

/** @throws {AppError} `invalid_request` naming the line that cannot be read. */
export function rowsOf(csv: string): Row[] {
  let lines: Record<string, string>[];
  try {
    lines = parse(csv, { columns: true, skip_empty_lines: true, bom: true, trim: true });
  } catch (error) {
    throw new AppError(
      "invalid_request",
      `body csv_content: ${error instanceof Error ? error.message : "is no CSV"}`,
    );
  }
  return lines.map((line, i) => {
    const parsed = rowSchema.safeParse(fieldsOf(line));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new AppError(
      "invalid_request",
      `body csv_content: line ${i + 2}, ${issue.path.join(".")}: ${issue.message}`,
    );
  });
}

function fieldsOf(line: Readonly<Record<string, string>>): Record<string, unknown> {
  const numbers = new Set(["quantity", "price", "ratio", "amount", "confidence"]);
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(line)) {
    if (name === "fees") fields.fees = feesOf(value);
    else if (value === "") fields[name] = null;
    else fields[name] = numbers.has(name) ? Number(value) : unguarded(value);
  }
  return fields;
}

function feesOf(value: string): Record<string, number> {
  const parts = value.split(/\s+/).filter((part) => part !== "");
  return Object.fromEntries(
    parts.map((part) => {
      const [name, fee = ""] = part.split(":");
      return [name, /^-?\d+(\.\d{1,6})?$/.test(fee) ? microsOf(fee) / MICROS : Number.NaN];
    }),
  );
}

import { parse } from "csv-parse";
import { stringify } from "csv-stringify/sync";
import { z } from "zod";
import { MICROS } from "../../core/execution/money.js";
import { PURPOSES, SIDES } from "../../core/execution/order.js";
import { TRANSACTION_KINDS, type Transaction } from "../../core/execution/transactions.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import { inSlices, othersTurn } from "../../platform/slices.js";
import { amountText, microsOf } from "./amounts.js";
import type { OrderCause } from "./cause.js";
import { layersSchema } from "./schema.js";

/** Most transactions of a file. */
export const MOST_ROWS = 50_000;
/** Rows between which others have their turn: a few milliseconds of any work on them. */
export const SLICE = 100;
/** Characters of a file that are read at a time. */
const PIECE = 16_384;

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
    direction: z
      .union([z.literal(1), z.literal(-1)])
      .nullable()
      .default(null)
      .describe("Of the signal behind its order: 1 long, -1 short"),
    layers: layersSchema.default([]).describe("Signed contributions to the signal behind its order"),
    purpose: z.enum(PURPOSES).nullable().default(null).describe("What its order was for; trader without it"),
    replaces: text.describe("Name of the order in whose place its order came, with the rest of it"),
    closes: text.describe(
      "Name of the entry order whose trade it closes before others; the oldest without it",
    ),
    ambiguous: z.boolean().default(false).describe("The path within a bar decided on it"),
  })
  .meta({ id: "PaperTransaction" });
export type Row = z.output<typeof rowSchema>;

/** @param at when it happened as trades have it. */
export function rowOf(
  { kind, symbol, orderId, side, quantity, price, ratio, fees, amount: micros, ...of }: Transaction,
  at: number,
  causes: ReadonlyMap<string, OrderCause>,
): Row {
  const cause = orderId === null ? undefined : causes.get(orderId);
  const nameOf = (id: string | null) => (id === null ? null : (causes.get(id)?.clientOrderId ?? id));
  return {
    at: isoTime(at),
    kind,
    symbol,
    order: nameOf(orderId),
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
    direction: cause?.direction ?? null,
    layers: [...(cause?.layers ?? [])],
    purpose: of.purpose,
    replaces: nameOf(of.replaces),
    closes: nameOf(of.closes),
    ambiguous: of.ambiguous,
  };
}

const micros = (money: number) => Math.round(money * MICROS) + 0;

/** @param idOf the id of an order by its name. */
export function transactionOf(row: Row, idOf: (name: string) => string): Transaction {
  const { at, kind, symbol, order, side, purpose, replaces, closes, ambiguous, quantity, price, ratio } = row;
  const fees = Object.fromEntries(Object.entries(row.fees).map(([name, fee]) => [name, micros(fee)]));
  const orderId = order === null ? null : idOf(order);
  return {
    at: Date.parse(at),
    kind,
    symbol,
    orderId,
    side,
    purpose,
    replaces: replaces === null ? null : idOf(replaces),
    closes: closes === null ? null : idOf(closes),
    ambiguous,
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
  "direction",
  "layers",
  "purpose",
  "replaces",
  "closes",
  "ambiguous",
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
    layers: row.layers.length === 0 ? "" : JSON.stringify(row.layers),
    replaces: guarded(row.replaces),
    closes: guarded(row.closes),
    ambiguous: String(row.ambiguous),
    amount: amountText(micros(row.amount)),
    fees: Object.entries(row.fees)
      .map(([name, fee]) => `${name}:${amountText(micros(fee))}`)
      .join(" "),
  }));
  // Quoted, for spaces at the ends of a text are of it.
  return stringify(lines, { header: true, columns: [...COLUMNS], quoted_string: true });
}

/** Rows as they were sent, checked in slices. @throws {AppError} `invalid_request` naming what is wrong. */
export function checkedRows(sent: readonly unknown[]): Promise<Row[]> {
  return inSlices(
    checking(sent, (row, { path, message }) => {
      const place = ["transactions", row, ...path].join(".");
      const problems = [{ path: place, message }];
      return new AppError("invalid_request", `body ${place}: ${message}`, { problems });
    }),
  );
}

/** Rows of a file, read and checked in slices. @throws {AppError} `invalid_request` naming the line that cannot be read. */
export async function rowsOf(csv: string): Promise<Row[]> {
  const lines = await linesOf(csv).catch((error: unknown) => {
    const problem = error instanceof Error ? error.message : "is no CSV";
    throw new AppError("invalid_request", `body csv_content: ${problem}`);
  });
  return inSlices(
    checking(
      lines,
      (row, { path, message }) =>
        new AppError("invalid_request", `body csv_content: line ${row + 2}, ${path.join(".")}: ${message}`),
      fieldsOf,
    ),
  );
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** @param refused the error for what is wrong with a row, by its place. */
function* checking<Sent>(
  sent: readonly Sent[],
  refused: (row: number, issue: Issue) => AppError,
  fieldsIn: (row: Sent) => unknown = (row) => row,
): Generator<undefined, Row[], undefined> {
  const rows: Row[] = [];
  for (const [place, row] of sent.entries()) {
    if (place % SLICE === SLICE - 1) yield;
    const { data, error } = rowSchema.safeParse(fieldsIn(row));
    if (error !== undefined) throw refused(place, error.issues[0]);
    rows.push(data);
  }
  return rows;
}

/** The lines of a file by their columns. */
async function linesOf(csv: string): Promise<Record<string, string>[]> {
  const lines: Record<string, string>[] = [];
  const parser = parse({ columns: true, skip_empty_lines: true, bom: true, trim: true });
  parser.on("data", (line: Record<string, string>) => lines.push(line));
  const end = new Promise<void>((resolve, reject) => {
    parser.once("end", resolve).once("error", reject);
  });
  const read = async () => {
    for (let from = 0; from < csv.length && !parser.destroyed; from += PIECE) {
      parser.write(csv.slice(from, from + PIECE));
      await othersTurn();
    }
    parser.end();
  };
  await Promise.all([end, read()]);
  return lines;
}

const BOOLEANS = new Map([
  ["", false],
  ["false", false],
  ["true", true],
]);

function fieldsOf(line: Readonly<Record<string, string>>): Record<string, unknown> {
  const numbers = new Set(["quantity", "price", "ratio", "amount", "confidence", "direction"]);
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(line)) {
    if (name === "fees") fields.fees = feesOf(value);
    else if (name === "layers") fields.layers = layersOf(value);
    else if (name === "ambiguous") fields.ambiguous = BOOLEANS.get(value) ?? value;
    else if (value === "") fields[name] = null;
    else fields[name] = numbers.has(name) ? Number(value) : unguarded(value);
  }
  return fields;
}

/** What is no JSON stays text, which is no list. */
function layersOf(value: string): unknown {
  if (value === "") return [];
  try {
    return JSON.parse(value);
  } catch (error) {
    if (error instanceof SyntaxError) return value;
    throw error;
  }
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

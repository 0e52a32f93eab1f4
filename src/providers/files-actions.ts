import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import type { CorporateAction } from "../core/market/actions.js";
import { parseDay } from "../core/market/day.js";
import { type Instrument, normaliseSymbol } from "../core/market/instrument.js";
import { messageOf } from "../platform/errors.js";
import { ProviderError } from "./define.js";
import { ACTIONS_FILE } from "./files-folder.js";

const COLUMNS = ["symbol", "ex_date", "kind", "ratio", "amount", "currency"] as const;
type Row = Readonly<Record<(typeof COLUMNS)[number], string>>;

/** Whether one of the folders says anything of splits and dividends. */
export function hasActions(folders: readonly string[]): boolean {
  return folders.some((folder) => existsSync(join(folder, ACTIONS_FILE)));
}

/**
 * Splits and dividends of an instrument from `actions.csv` of each folder, with the columns symbol, ex_date, kind, ratio,
 * amount and currency in any order: a split has a ratio, new shares for one old as `4`, `4:1` or `1:10`, a dividend an
 * amount, in the currency of the instrument unless it names one. A dividend that cannot be read is left out.
 * @throws {ProviderError} `bad_payload` naming the line, for another row of the instrument that cannot be read: without
 * a split all prices before it are wrong.
 */
export function readActions(
  folders: readonly string[],
  instrument: Instrument,
): { readonly actions: CorporateAction[]; readonly leftOut: readonly string[] } {
  const actions: CorporateAction[] = [];
  const leftOut: string[] = [];
  const rows = folders
    .filter((folder) => hasActions([folder]))
    .flatMap((folder) => rowsOf(join(folder, ACTIONS_FILE)))
    .filter(({ row }) => normaliseSymbol(row.symbol) === instrument.symbol);
  for (const { row, line } of rows) {
    try {
      actions.push(actionOf(row, line, instrument));
    } catch (error) {
      if (!(error instanceof ProviderError) || row.kind.toLowerCase() !== "dividend") throw error;
      leftOut.push(`${error.message}; left out`);
    }
  }
  return { actions, leftOut };
}

/** Rows of an instrument that are left out; none where the file cannot be read at all. */
export function faultsOfActions(folders: readonly string[], instrument: Instrument): readonly string[] {
  try {
    return readActions(folders, instrument).leftOut;
  } catch (error) {
    if (error instanceof ProviderError) return [];
    throw error;
  }
}

function rowsOf(path: string): { row: Row; line: number }[] {
  try {
    const [header, ...lines] = parse(readFileSync(path, "utf8"), {
      bom: true,
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
      info: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    const names = header?.record.map((name) => name.toLowerCase()) ?? [];
    const absent = ["symbol", "ex_date", "kind"].filter((name) => !names.includes(name));
    if (absent.length > 0)
      throw new ProviderError("bad_payload", `${ACTIONS_FILE} has no column ${absent.join(", ")}`);
    return lines.map(({ record, info }) => {
      const cells = COLUMNS.map((name) => [name, record[names.indexOf(name)] ?? ""] as const);
      return { row: Object.fromEntries(cells) as Row, line: info.lines };
    });
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    throw new ProviderError("bad_payload", `${ACTIONS_FILE} is not a table: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function actionOf(row: Row, line: number, { currency }: Instrument): CorporateAction {
  const refuse = (problem: string) =>
    new ProviderError("bad_payload", `${ACTIONS_FILE} line ${line}: ${problem}`);
  const exDay = parseDay(row.ex_date);
  if (exDay === null) throw refuse(`ex_date is no date: ${row.ex_date.slice(0, 20)}`);
  const kind = row.kind.toLowerCase();
  if (kind === "split") {
    const ratio = ratioOf(row.ratio);
    if (ratio === null) throw refuse(`ratio is none: ${row.ratio.slice(0, 20)}`);
    return { kind, exDay, ratio };
  }
  if (kind !== "dividend") throw refuse(`kind is neither split nor dividend: ${row.kind.slice(0, 20)}`);
  const amount = positive(row.amount);
  if (amount === null) throw refuse(`amount is none: ${row.amount.slice(0, 20)}`);
  return { kind, exDay, amount, currency: row.currency === "" ? currency : row.currency.toUpperCase() };
}

/** New shares for one old, as `4`, `4:1` or `1:10`, or null. */
export function ratioOf(text: string): number | null {
  const [after, before = 1] = text.split(":").map(positive);
  return after === null || before === null ? null : after / before;
}

/** A number above 0 in decimal digits, or null. */
export function positive(text: string): number | null {
  const value = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value > 0 && Number.isFinite(value) ? value : null;
}

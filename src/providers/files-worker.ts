import { parseTable, readWhole, type Table } from "./files-table.js";

/** Reads a whole file of candles in a thread. */
export default function readTable({ path }: { path: string }): Table {
  return parseTable(readWhole(path));
}

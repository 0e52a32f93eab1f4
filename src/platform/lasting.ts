const lasting = new WeakSet<object>();

/**
 * Says of a row of answers that it never changes: what was checked and made of it once stands for good.
 * @param row of texts, numbers and the like alone.
 */
export function everLasting<Row extends object>(row: Row): Row {
  lasting.add(Object.freeze(row));
  return row;
}

export function isLasting(row: unknown): row is object {
  return typeof row === "object" && row !== null && lasting.has(row);
}

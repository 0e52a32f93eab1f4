/** SQL that selects a column of time as epoch ms, a double, under a name. */
export const epochMs = (column: string, name: string) =>
  `(extract(epoch from ${column}) * 1000)::float8 as "${name}"`;

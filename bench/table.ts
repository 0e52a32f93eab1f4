/** Figures of benches as `table.md` keeps them: a head, a summary by row, and a part for each bench under its name. */
export interface Part {
  readonly name: string;
  /** Markdown that begins with `## ` and the name. */
  readonly text: string;
}

/** Parts of a table, in their order. */
export function partsOf(table: string): Part[] {
  return table
    .split(/^(?=## )/m)
    .slice(1)
    .map((text) => ({ name: (text.match(/^## (.+)$/m)?.[1] ?? "").trim(), text: text.trim() }));
}

/** The parts of a table with those that were measured anew in their place, and what is new of it in the order of the names. */
export function mergeParts(before: readonly Part[], measured: readonly Part[]): Part[] {
  const merged = new Map([...before, ...measured].map((part) => [part.name, part]));
  return [...merged.values()].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
}

/** For each row how many of the targets are met that the lines of parts name. */
export function summaryOf(parts: readonly Part[]): string {
  const rows = new Map<string, boolean[]>();
  for (const { text } of parts)
    for (const line of text.split("\n")) {
      const cells = line.split("|").map((cell) => cell.trim());
      const met = cells.at(-2);
      if (cells.length < 7 || (met !== "yes" && met !== "**no**")) continue;
      const row = cells[1] === "" ? "other" : cells[1];
      rows.set(row, [...(rows.get(row) ?? []), met === "yes"]);
    }
  const lines = [...rows]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([row, met]) => {
      const kept = met.filter(Boolean).length;
      return `| ${row} | ${kept} of ${met.length} | ${kept === met.length ? "yes" : "**no**"} |`;
    });
  return `| row | targets met | met |\n|---|---|---|\n${lines.join("\n")}`;
}

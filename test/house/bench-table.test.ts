import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mergeParts, partsOf, summaryOf } from "../../bench/table.js";

const table = readFileSync(new URL("../../bench/table.md", import.meta.url), "utf8");
const parts = partsOf(table);
/** A part whose row is none of the table. */
const learning = (row: string, met: string) => ({
  name: `Learning ${row}`,
  text: `## Learning ${row}\n\n### A training\n\n| row | what | figure | target | met |\n|---|---|---|---|---|\n| ${row} | a step | 3 ms | <= 4 ms | ${met} |\n| ${row} | another | 3 ms |  |  |`,
});

describe("the table of measured figures", () => {
  it("has a summary of what its parts say", () => {
    expect(parts.length).toBeGreaterThan(5);
    expect(table).toContain(summaryOf(parts));
  });

  it("takes parts that were measured by themselves into their place, and leaves the others as they are", () => {
    const measured = ["N8", "M8", "M9"].map((row) => learning(row, row === "M9" ? "**no**" : "yes"));
    const merged = mergeParts(parts, measured);
    expect(merged.map(({ name }) => name)).toEqual(
      [...parts, ...measured]
        .map(({ name }) => name)
        .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)),
    );
    for (const part of parts) expect(merged).toContainEqual(part);
    const summary = summaryOf(merged);
    for (const line of ["| M8 | 1 of 1 | yes |", "| M9 | 0 of 1 | **no** |", "| N8 | 1 of 1 | yes |"])
      expect(summary).toContain(line);
    // Measured again, a part takes the place of the one before.
    const again = mergeParts(merged, [learning("M9", "yes")]);
    expect(again).toHaveLength(merged.length);
    expect(summaryOf(again)).toContain("| M9 | 1 of 1 | yes |");
    expect(partsOf(`# Head\n\n${again.map(({ text }) => text).join("\n\n")}\n`)).toEqual(again);
  });
});

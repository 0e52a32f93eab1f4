import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("two million ticks leave the garbage collector nothing to do", () => {
  const script = fileURLToPath(new URL("../fixtures/tick-collections.ts", import.meta.url));
  const flags = ["--max-semi-space-size=1", "--import", "tsx"];
  const told = JSON.parse(execFileSync(process.execPath, [...flags, script], { encoding: "utf8" }));
  expect(told.bars).toBeGreaterThan(100_000);
  expect(told.collections).toBe(0);
  expect(told.grown).toBeLessThan(65_536);
}, 120_000);

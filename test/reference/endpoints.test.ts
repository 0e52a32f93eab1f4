import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";
import { sharedPath } from "../fixtures/shared.js";

const script = sharedPath("api", "check.mjs");

/** Groups of the catalogue of endpoints that are served whole. */
const GROUPS: [string, number][] = [
  ["1. Health, docs, meta", 13],
  ["2. Market data", 10],
  ["3. Live scanning", 5],
  ["4. Patterns", 19],
  ["5. Alerts", 12],
  ["8. Signals, recommendation, risk", 10],
  ["10. Sentiment", 5],
  ["12. Patterns, regimes and insights (seed 000)", 14],
];

describe.skipIf(script === null)("the catalogue of endpoints", () => {
  let program: TestProgram;
  let address: string;
  beforeAll(async () => {
    program = await startScannedProgram();
    address = await program.listen();
  });
  afterAll(() => program.close());

  it.each(GROUPS)("has every endpoint of %s served", async (group, count) => {
    const { stdout } = await promisify(execFile)(process.execPath, [script ?? "", address, "--group", group]);
    expect(stdout.trim()).toBe(`${count} of ${count} served`);
  });
});

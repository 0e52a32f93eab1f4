import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

/** GET routes that answer in JSON without a path parameter or a required query. */
async function answers(program: TestProgram): Promise<Map<string, Record<string, unknown>>> {
  const { paths } = (await program.call("/swagger.json")).json() as {
    paths: Record<string, { get?: { parameters?: { required?: boolean }[] } }>;
  };
  const found = new Map<string, Record<string, unknown>>();
  for (const [path, { get }] of Object.entries(paths)) {
    if (!path.startsWith("/api/") || get === undefined || path.includes("{")) continue;
    if (get.parameters?.some(({ required }) => required === true)) continue;
    const answer = await program.call(path);
    if (String(answer.headers["content-type"]).startsWith("application/json")) found.set(path, answer.json());
  }
  return found;
}

describe("a synthetic market", () => {
  it("is told of in every answer", async () => {
    const program = await startTestProgram();
    onTestFinished(() => program.close());
    const found = await answers(program);
    expect(found.size).toBeGreaterThan(20);
    expect([...found].filter(([, body]) => body.synthetic !== true).map(([path]) => path)).toEqual([]);
  });

  it("is told of by no answer of a real one", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tx-files-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "AAPL.csv"), "date,open,high,low,close,volume\n2024-01-02,1,2,1,2,5\n");
    const program = await startTestProgram({ environment: { MARKET_DATA: "files", FILES_DIR: folder } });
    onTestFinished(() => program.close());
    const found = await answers(program);
    expect(found.size).toBeGreaterThan(20);
    expect([...found].filter(([, body]) => body.synthetic === true).map(([path]) => path)).toEqual([]);
  });
});

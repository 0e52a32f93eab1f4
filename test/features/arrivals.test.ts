import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { daysFile, scaled, walkDays } from "../fixtures/walks.js";

/** Days of a walk, with prices of some of them changed. */
function days(seed: number, factor: (i: number) => number = () => 1): string {
  return daysFile(walkDays(seed, "2022-01-03", 150).map((day, i) => scaled(day, factor(i))));
}

let program: TestProgram;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-arrivals-"));
  writeFileSync(join(folder, "GOOD.csv"), days(1));
  writeFileSync(
    join(folder, "SLIP.csv"),
    days(2, (i) => (i >= 60 && i < 70 ? 100 : 1)),
  );
  writeFileSync(join(folder, "TWICE.csv"), days(3));
  writeFileSync(join(folder, "actions.csv"), "symbol,ex_date,kind,ratio\nTWICE,2022-05-02,split,4\n");
  const lines = days(4).split("\n");
  const cells = lines[80].split(",");
  lines[80] = [cells[0], cells[1], cells[3], cells[2], cells[4], cells[5]].join(",");
  writeFileSync(join(folder, "CROSSED.csv"), lines.join("\n"));
  program = await startTestProgram({ environment: { MARKET_DATA: "files", FILES_DIR: folder } });
  // The first file takes a thread to start.
  await program.server.inject("/api/candles/GOOD?interval=1d");
});
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

async function candles(symbol: string): Promise<{ close: number; timestamp: string }[]> {
  return (await program.call(`/api/candles/${symbol}?interval=1d&limit=500`)).json().data;
}

async function issues(symbol: string): Promise<{ code: string; severity: string; count: number }[]> {
  return (await program.call(`/api/data-quality/issues?symbol=${symbol}`)).json().data;
}

const steps = (list: readonly { close: number }[]) =>
  list.slice(1).map(({ close }, i) => Math.abs(Math.log(close / list[i].close)));

describe("bars on their way into the store", () => {
  it("that are sound raise no issue", async () => {
    expect(await candles("GOOD")).toHaveLength(150);
    expect((await issues("GOOD")).filter(({ severity }) => severity !== "info")).toEqual([]);
  });

  it("that are 100 times too large are mended, and an issue says so", async () => {
    const stored = await candles("SLIP");
    expect(stored).toHaveLength(150);
    expect(Math.max(...steps(stored))).toBeLessThan(0.1);
    expect(await issues("SLIP")).toMatchObject([{ code: "scale_slip", severity: "critical", count: 10 }]);
  });

  it("that cannot be bars are held back, and an issue says so", async () => {
    expect(await candles("CROSSED")).toHaveLength(149);
    expect(await issues("CROSSED")).toMatchObject([
      { code: "high_below_low", severity: "critical", count: 1 },
    ]);
  });

  it("that lack the jump of a split they should have are told of, and told once", async () => {
    await candles("TWICE");
    const { instruments, candles: service, quality } = program.parts;
    const known = await instruments.resolve("TWICE");
    await service.ensureStored(known, "1d", Date.UTC(2022, 0, 1), Date.UTC(2022, 8, 1));
    const told = await issues("TWICE");
    expect(told.filter(({ severity }) => severity === "critical").map(({ code }) => code)).toEqual([
      "split_applied_twice",
    ]);
    expect((await quality.report()).counts.criticalLastHour).toBe(3);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { dateOf, weekdayOf } from "../../src/core/market/day.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const HEADER = "date,open,high,low,close,volume";

/** Weekdays of a walk, with prices of some of them changed. */
function days(seed: number, factor: (i: number) => number = () => 1): string {
  const rng = createRng(seed);
  const rows: string[] = [];
  let price = 50;
  for (let day = 19_000; rows.length < 150; day++) {
    if (weekdayOf(day) > 5) continue;
    const open = price;
    price *= Math.exp(0.01 * rng.normal());
    const by = factor(rows.length);
    const prices = [open, Math.max(open, price) * 1.004, Math.min(open, price) * 0.996, price];
    rows.push([dateOf(day), ...prices.map((each) => (each * by).toFixed(6)), 1_000].join(","));
  }
  return `${HEADER}\n${rows.join("\n")}\n`;
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
      { code: "price_out_of_range", severity: "critical", count: 1 },
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

  it("of another instrument are held back", async () => {
    const { quality, candles: service, instruments } = program.parts;
    const [stored, other] = await Promise.all(
      ["GOOD", "SLIP"].map(async (symbol) => {
        return (await service.loadLatest(await instruments.resolve(symbol), "1d", 150)).candles;
      }),
    );
    const terms = { adjusted: "none", splits: [] } as const;
    const wrong = { symbol: "GOOD", candles: { ...other, symbol: "GOOD" }, rejected: [], stored, terms };
    const origin = { source: "files", synthetic: false };
    expect((await quality.inspect(wrong, origin)).time).toHaveLength(0);
    const right = { ...wrong, candles: stored };
    expect((await quality.inspect(right, origin)).time).toHaveLength(150);
    expect((await issues("GOOD")).map(({ code }) => code)).toContain("other_instrument");
  });
});

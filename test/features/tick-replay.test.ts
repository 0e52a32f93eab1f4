import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, it } from "vitest";
import type { Receipt, SentTicks } from "../../src/features/pipeline/pipeline.js";
import { createTickReplay, type TickReplayCheckpoint } from "../../src/features/pipeline/replay-job.js";
import { readTickFile } from "../../src/features/pipeline/tick-files.js";
import { sharedPath } from "../fixtures/shared.js";
import { sized } from "../fixtures/sizes.js";

const folder = mkdtempSync(join(tmpdir(), "tx-tick-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const START = Date.UTC(2024, 2, 5, 15);
const line = (i: number) => `${START + i},${100 + i},${i},${i}`;
const ROWS = [
  ...Array.from({ length: 8 }, (_, i) => line(i)),
  "noon,100,1,8",
  `${START + 9},,1,9`,
  `${START + 10},100,x,10`,
  new Date(START + 11).toISOString().concat(",111,11,"),
];
const TEXT = `ts_ms,price,size,id\n${ROWS.join("\n")}\n`;
writeFileSync(join(folder, "plain.csv"), TEXT);
writeFileSync(join(folder, "packed.csv.gz"), gzipSync(TEXT));
writeFileSync(join(folder, "broken.csv.gz"), gzipSync(TEXT).subarray(0, 40));
writeFileSync(
  join(folder, "blank.csv"),
  `ts_ms,price,size\n\n${START},100,1\n\n\n${START},0x64,1\n${START},1e2,1\n`,
);
writeFileSync(join(folder, "odd.csv"), "time,cost,size\n1,2,3\n");

/** A job over a pipeline that accepts everything, once under a key. */
function start(
  file: string,
  options: { last?: TickReplayCheckpoint; failAt?: number; abortAt?: number; continues?: boolean } = {},
) {
  const taken: { key: string | null; source: string; prices: number[] }[] = [];
  const ended: string[] = [];
  const known = new Map<string, Receipt>();
  const saved: TickReplayCheckpoint[] = [];
  const progress: number[] = [];
  const controller = new AbortController();
  const kind = createTickReplay({
    config: { FILES_DIR: ["/nowhere", folder] },
    rowsAtOnce: 5,
    pipeline: {
      waiting: () => ({ ticks: 0, outcomes: 0 }),
      async end(symbol) {
        ended.push(symbol);
      },
      async take(sent: SentTicks, source: string, key: string | null = null) {
        if (taken.length === options.failAt) throw new Error("planted");
        taken.push({ key, source, prices: [...sent.ticks.price] });
        if (taken.length === options.abortAt) controller.abort(new Error("cancelled"));
        const receipt = { accepted: sent.row.length, rejected: sent.refused, held: [], repeated: false };
        known.set(key ?? "", receipt);
        return receipt;
      },
    },
  });
  const done = kind.run(
    { file, symbol: "AAPL", continues: options.continues ?? false },
    {
      job: { id: 7, userId: "ann" },
      signal: controller.signal,
      nowMs: 0,
      report: (_phase, bytes) => void progress.push(bytes),
      checkpoint: {
        last: options.last ?? null,
        async save(value) {
          saved.push(structuredClone(value));
        },
      },
    },
  );
  return { kind, done, taken, saved, progress, ended };
}

it.each(["plain.csv", "packed.csv.gz"])(
  "sends the trades of %s in parts, and sums up what became of them",
  async (file) => {
    const { done, taken, progress } = start(file);
    expect(await done).toEqual({
      ...{ file, symbol: "AAPL", rows: 12, accepted: 9, held: 0, unknown: 0 },
      rejected: {
        "time is neither epoch ms nor RFC 3339": 1,
        "not_finite: price is not a finite number": 1,
        "not_finite: size is not a finite number": 1,
      },
      rejected_rows: [
        { line: 10, reason: "time is neither epoch ms nor RFC 3339" },
        { line: 11, reason: "not_finite: price is not a finite number" },
        { line: 12, reason: "not_finite: size is not a finite number" },
      ],
    });
    expect(taken.map(({ key, source }) => [key, source])).toEqual(
      [0, 5, 10].map((row) => [`job 7 ${row}`, "files"]),
    );
    expect(taken.flatMap(({ prices }) => prices)).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 111]);
    expect(progress).toHaveLength(3);
  },
);

it("goes on after a crash where it was, and sums up the whole", async () => {
  const whole = await start("plain.csv").done;
  const first = start("plain.csv", { failAt: 2 });
  await expect(first.done).rejects.toThrow("planted");
  const last = first.saved.at(-1);
  expect(last?.row).toBe(10);
  const second = start("plain.csv", last === undefined ? {} : { last });
  expect(await second.done).toEqual(whole);
  expect(second.taken.map(({ key }) => key)).toEqual(["job 7 10"]);
});

it("tells the lines of a file with blank ones, and takes no number to the base of sixteen", async () => {
  expect(await start("blank.csv").done).toMatchObject({
    ...{ rows: 3, accepted: 2 },
    rejected_rows: [{ line: 6, reason: "not_finite: price is not a finite number" }],
  });
});

it("closes its last bars when all was sent, unless another file goes on with them", async () => {
  const whole = start("plain.csv");
  await whole.done;
  expect(whole.ended).toEqual(["AAPL"]);
  const part = start("plain.csv", { continues: true });
  await part.done;
  expect(part.ended).toEqual([]);
});

it("ends when it is cancelled", async () => {
  const { done, taken, ended } = start("plain.csv", { abortAt: 1 });
  await expect(done).rejects.toThrow("cancelled");
  expect(ended).toEqual([]);
  expect(taken).toHaveLength(1);
});

it("refuses names of no file, files without a column, and those that cannot be unpacked", async () => {
  const { check } = start("plain.csv").kind;
  const order = (file: string) => check?.({ file, symbol: "aapl" }, "ann");
  expect(await order("plain.csv")).toEqual({ file: "plain.csv", symbol: "AAPL" });
  for (const file of ["../plain.csv", "/etc/passwd", "plain", ".csv", "a/b.csv"]) {
    await expect(order(file), file).rejects.toMatchObject({ code: "invalid_request" });
  }
  await expect(order("absent.csv")).rejects.toMatchObject({ code: "no_data" });
  await expect(start("odd.csv").done).rejects.toThrow("no column price");
  await expect(start("broken.csv.gz").done).rejects.toMatchObject({ code: "invalid_request" });
});

// By awk.
const REAL = sized({
  usual: { rows: 200_000, volume: 66_348_433 },
  full: { rows: 1_887_460, volume: 745_601_333 },
});

it(`reads each of ${REAL.rows} rows of the trades of SPY`, async (context) => {
  const path = sharedPath("data", "ticks", "lean-SPY-trades-20131007-20131011.csv.gz");
  if (path === null) return context.skip("the reference data are absent");
  let rows = 0;
  let volume = 0;
  for await (const part of readTickFile(path, "SPY", 20_000)) {
    expect(part.from).toBe(rows);
    rows += part.rows.length;
    for (const { size } of part.rows) volume += Number(size);
    if (rows >= REAL.rows) break;
  }
  expect({ rows, volume }).toEqual(REAL);
}, 60_000);

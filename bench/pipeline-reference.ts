import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mmdReferences } from "../src/core/indicators/statistics/mmd-references.js";
import type { TickSeries } from "./pipeline-run.js";

const SOURCES = [
  "pipeline.c",
  "pipeline-bars.c",
  "pipeline-rows.c",
  "pipeline-windows.c",
  "pipeline-synergy.c",
];

export interface ReferenceRun {
  readonly minNs: number;
  readonly medianNs: number;
  /** As `Outcome.sums`. */
  readonly sums: readonly number[];
}

/** The pipeline in C, built with -O3, in a folder of its own. */
export class Reference {
  readonly #folder: string;
  readonly #program: string;

  /** @param bench the folder of its sources. @throws where there is no compiler. */
  constructor(bench: string) {
    this.#folder = mkdtempSync(join(tmpdir(), "tx-pipeline-"));
    this.#program = join(this.#folder, "pipeline");
    const sources = SOURCES.map((name) => join(bench, name));
    // Without fused additions, which JavaScript has not.
    const flags = ["-O3", "-ffp-contract=off", ...sources, "-lm", "-o", this.#program];
    execFileSync("cc", flags, { stdio: "pipe", timeout: 120_000 });
  }

  /** Writes a series to where `run` reads it. */
  write({ symbols, calendar, ticks }: TickSeries): void {
    const { points, weights, own } = mmdReferences();
    const sessions = [calendar.open, calendar.close].map((column) => Float64Array.from(column));
    const file = openSync(join(this.#folder, "series"), "w");
    for (const column of [
      Float64Array.of(ticks.time.length, symbols, calendar.open.length),
      Float64Array.from(ticks.symbol),
      ...[ticks.time, ticks.price, ticks.size, ...sessions, points, weights, own],
    ]) {
      writeSync(file, Buffer.from(column.buffer, column.byteOffset, column.byteLength));
    }
    closeSync(file);
  }

  run(rounds: number): ReferenceRun {
    const text = execFileSync(this.#program, [join(this.#folder, "series"), String(rounds)], {
      encoding: "utf8",
    });
    const [minNs, medianNs, ...sums] = text.trim().split(" ").map(Number);
    return { minNs, medianNs, sums };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

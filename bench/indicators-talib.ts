import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bars } from "../src/core/market/candles.js";
import type { Timing } from "./time.js";

/** The npm package whose tarball holds the C sources of TA-Lib 0.6.0-dev. */
const PACKAGE = "talib@1.1.6";

/** The bench folder is the first argument: this file runs compiled, elsewhere. */
const HARNESS = join(process.argv[2] ?? "bench", "indicators-talib.c");

export interface Talib {
  /** By the names of our table, over so many rounds. */
  time(rounds: number): readonly Timing[];
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".c"))
    .map((name) => join(folder, name));
}

/** Compiles the library and the harness into `folder`, which keeps them for the next run. */
function build(folder: string): string {
  const harness = join(folder, "harness");
  if (existsSync(harness)) return harness;
  mkdirSync(folder, { recursive: true });
  execFileSync("npm", ["pack", "--silent", PACKAGE], { cwd: folder, stdio: "pipe", timeout: 120_000 });
  execFileSync("tar", ["xzf", `${PACKAGE.replace("@", "-")}.tgz`], { cwd: folder, stdio: "pipe" });
  const library = join(folder, "package/src/lib");
  const common = ["ta_global.c", "ta_retcode.c", "ta_version.c"];
  const sources = [
    ...sourcesIn(join(library, "src/ta_func")),
    ...common.map((name) => join(library, "src/ta_common", name)),
    HARNESS,
  ];
  const includes = ["include", "src/ta_common", "src/ta_func", "src/ta_abstract"];
  const flags = ["-O3", "-w", "-ffp-contract=off", ...includes.map((name) => `-I${join(library, name)}`)];
  execFileSync("cc", [...flags, ...sources, "-lm", "-o", harness], { stdio: "pipe", timeout: 300_000 });
  return harness;
}

/** A folder for this harness and these sources. */
function buildFolder(): string {
  const content = createHash("sha256").update(PACKAGE).update(readFileSync(HARNESS)).digest("hex");
  return join(tmpdir(), `tx-bench-talib-${content.slice(0, 12)}`);
}

/** TA-Lib built with -O3 and timed by its own process on the same bars, or why it can't be. */
export function buildTalib(bars: Bars): { talib: Talib; problem: null } | { talib: null; problem: string } {
  try {
    const folder = buildFolder();
    const harness = build(folder);
    const data = join(folder, "bars.bin");
    const { open, high, low, close, volume } = bars;
    writeFileSync(
      data,
      Buffer.concat(
        [open, high, low, close, volume].map((column) =>
          Buffer.from(column.buffer, column.byteOffset, column.byteLength),
        ),
      ),
    );
    const time = (rounds: number) => {
      const text = execFileSync(harness, [data, String(close.length), String(rounds)], { encoding: "utf8" });
      return text
        .trim()
        .split("\n")
        .map((line) => line.split(" "))
        .map(([name, fastest, middle]) => ({ name, minNs: Number(fastest), medianNs: Number(middle) }));
    };
    return { talib: { time }, problem: null };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return { talib: null, problem: `TA-Lib skipped: ${reason}` };
  }
}

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bars } from "../src/core/market/candles.js";

/** The npm package whose tarball holds the C sources of TA-Lib 0.6.0-dev. */
const PACKAGE = "talib@1.1.6";

export interface Talib {
  /** ns per bar by the names of our table, fastest of `rounds`. */
  time(rounds: number): ReadonlyMap<string, number>;
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
    join(process.argv[2] ?? "bench", "indicators-talib.c"),
  ];
  const includes = ["include", "src/ta_common", "src/ta_func", "src/ta_abstract"];
  const flags = ["-O3", "-w", "-ffp-contract=off", ...includes.map((name) => `-I${join(library, name)}`)];
  execFileSync("cc", [...flags, ...sources, "-lm", "-o", harness], { stdio: "pipe", timeout: 300_000 });
  return harness;
}

/** TA-Lib built with -O3 and timed by its own process on the same bars, or why it can't be. */
export function buildTalib(bars: Bars): { talib: Talib; problem: null } | { talib: null; problem: string } {
  const folder = join(tmpdir(), "tx-bench-talib");
  try {
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
      const lines = text
        .trim()
        .split("\n")
        .map((line) => line.split(" "));
      return new Map(lines.map(([name, nanoseconds]) => [name, Number(nanoseconds)]));
    };
    return { talib: { time }, problem: null };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return { talib: null, problem: `TA-Lib skipped: ${reason}` };
  }
}

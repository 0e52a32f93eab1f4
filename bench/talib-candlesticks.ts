import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bars } from "../src/core/market/candles.js";
import { CANDLESTICKS } from "../src/core/patterns/candlestick/index.js";

/** The rows that TA-Lib has too, with their places in the table. */
export const IN_TALIB = CANDLESTICKS.flatMap(({ talib }, column) =>
  talib === null ? [] : [{ talib, column }],
);

/** npm package whose source distribution has TA-Lib's C sources (BSD-3, TA-Lib 0.6.0-dev). */
const PACKAGE = "talib@1.1.6";

/** Functions that take a penetration, and TA-Lib's default of it. */
const PENETRATION: Readonly<Record<string, number>> = {
  CDLABANDONEDBABY: 0.3,
  CDLDARKCLOUDCOVER: 0.5,
  CDLEVENINGDOJISTAR: 0.3,
  CDLEVENINGSTAR: 0.3,
  CDLMATHOLD: 0.5,
  CDLMORNINGDOJISTAR: 0.3,
  CDLMORNINGSTAR: 0.3,
};

/** TA-Lib's candlestick functions in C, in a process of their own. */
export interface TalibCandlesticks {
  /** Gives the program its bars. */
  load(bars: Bars): void;
  /** ns a bar for all functions, after one pass to warm up; into one output column that they share. */
  time(): number;
  /** Values of every function at each bar, one function after the other. */
  values(): Int32Array;
  remove(): void;
}

function program(functions: readonly string[]): string {
  const calls = functions.map((name, index) => {
    const penetration = PENETRATION[name] === undefined ? "" : `${PENETRATION[name]}, `;
    return `  TA_${name}(0, n - 1, o, h, l, c, ${penetration}&begin, &count, out); keep(${index});`;
  });
  return `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ta_libc.h"
static double *o, *h, *l, *c;
static int n, begin, count, *out, *all;
static void keep(int row) {
  if (all) memcpy(all + (size_t)row * n + begin, out, count * sizeof(int));
}
static void run(void) {
${calls.join("\n")}
}
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}
int main(int argc, char **argv) {
  n = atoi(argv[2]);
  double *prices = malloc(4 * (size_t)n * sizeof(double));
  FILE *file = fopen(argv[1], "rb");
  if (!file || fread(prices, sizeof(double), 4 * (size_t)n, file) != 4 * (size_t)n) return 1;
  fclose(file);
  o = prices; h = o + n; l = h + n; c = l + n;
  out = malloc(n * sizeof(int));
  TA_Initialize();
  if (argc > 3) {
    size_t size = ${functions.length} * (size_t)n;
    all = calloc(size, sizeof(int));
    run();
    file = fopen(argv[3], "wb");
    if (!file || fwrite(all, sizeof(int), size, file) != size) return 1;
    return fclose(file);
  }
  run();
  double start = now();
  run();
  printf("%.3f\\n", (now() - start) / n);
  return 0;
}
`;
}

function compile(folder: string, functions: readonly string[]): string {
  const quiet = { cwd: folder, stdio: "pipe" } as const;
  execFileSync("cc", ["--version"], quiet);
  const archive = execFileSync("npm", ["pack", "--silent", PACKAGE], quiet).toString().trim();
  execFileSync("tar", ["xzf", archive], quiet);
  writeFileSync(join(folder, "main.c"), program(functions));
  const library = join(folder, "package", "src", "lib");
  const sources = ["ta_common", "ta_func"].flatMap((part) =>
    readdirSync(join(library, "src", part))
      .filter((name) => /^ta_(global|retcode|version|utility|CDL\w+)\.c$/.test(name))
      .map((name) => join(library, "src", part, name)),
  );
  const includes = ["include", "src/ta_common", "src/ta_func"].map((part) => `-I${join(library, part)}`);
  const binary = join(folder, "candlesticks");
  execFileSync(
    "cc",
    ["-O3", "-w", "-ffp-contract=off", ...includes, "main.c", ...sources, "-lm", "-o", binary],
    quiet,
  );
  return binary;
}

/** Builds the program in a temporary folder; a text says why where there is no compiler or no package. */
export function buildTalibCandlesticks(functions: readonly string[]): TalibCandlesticks | string {
  const folder = mkdtempSync(join(tmpdir(), "talib-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const binary = compile(folder, functions);
    const prices = join(folder, "prices");
    const results = join(folder, "results");
    let length = 0;
    return {
      load({ open, high, low, close }) {
        length = open.length;
        writeFileSync(prices, Buffer.concat([open, high, low, close].map((column) => bytesOf(column))));
      },
      time: () => Number(execFileSync(binary, [prices, String(length)]).toString()),
      values() {
        execFileSync(binary, [prices, String(length), results]);
        const bytes = readFileSync(results);
        return new Int32Array(
          bytes.buffer,
          bytes.byteOffset,
          bytes.byteLength / Int32Array.BYTES_PER_ELEMENT,
        );
      },
      remove,
    };
  } catch (error) {
    remove();
    return `no comparison with TA-Lib in C: ${error instanceof Error ? error.message.split("\n")[0] : error}`;
  }
}

function bytesOf(column: Float64Array): Buffer {
  return Buffer.from(column.buffer, column.byteOffset, column.byteLength);
}

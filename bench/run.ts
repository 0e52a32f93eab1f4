import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { mergeParts, type Part, partsOf, summaryOf } from "./table.js";
import type { Bench, Figure, Section } from "./time.js";

/**
 * `npm run bench -- [name ...] [--write]`: runs `*.bench.ts` files and prints their tables. With names `--write` puts these
 * in the place that they have in `table.md`, each with the machine that it was measured on, and leaves the others.
 */
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const write = process.argv.includes("--write");

function digits(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(value >= 100 ? 0 : value >= 1 ? 2 : 4);
}

function line({ name, value, unit, target }: Figure, row: string): string {
  const against = target === undefined ? " | " : `${target.text} | ${target.met ? "yes" : "**no**"}`;
  return `| ${row} | ${name} | ${`${digits(value)} ${unit}`.trim()} | ${against} |`;
}

function table({ row = "", title, notes, figures }: Section): string {
  const head = "| row | what | figure | target | met |\n|---|---|---|---|---|";
  const lines = figures.map((figure) => line(figure, row)).join("\n");
  return [`### ${title}`, ...notes, ...(lines === "" ? [] : [`${head}\n${lines}`])].join("\n\n");
}

const machine = `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? "unknown processor"}`;
const parts: Part[] = [];
const measured: Section[] = [];
for (const file of readdirSync(new URL(".", import.meta.url)).sort()) {
  const name = file.match(/^(.+)\.bench\.ts$/)?.[1];
  if (name === undefined || (wanted.length > 0 && !wanted.includes(name))) continue;
  const { bench } = (await import(`./${file}`)) as { bench: Bench };
  const sections = await bench.run();
  measured.push(...sections);
  const head = write && wanted.length > 0 ? [`By \`npm run bench -- ${name} --write\` on ${machine}.`] : [];
  const text = [`## ${bench.name}`, ...head, ...sections.map(table)].join("\n\n");
  parts.push({ name: bench.name, text });
  process.stdout.write(`${text}\n\n`);
}
const missed = measured
  .flatMap(({ figures }) => figures)
  .filter(({ target }) => target?.met === false).length;
process.stdout.write(`${summaryOf(parts)}\n\n${machine}; ${missed} targets missed\n`);
if (write) {
  const file = new URL("table.md", import.meta.url);
  const before = wanted.length > 0 && existsSync(file) ? readFileSync(file, "utf8") : "";
  const own = `# Measured figures\n\nBy \`npm run bench -- --write\` on ${machine}. Rows are explained in [README.md](README.md).`;
  const [head] = before === "" ? [own] : before.split(/\n\n\| row /);
  const all = before === "" ? parts : mergeParts(partsOf(before), parts);
  writeFileSync(file, `${[head, summaryOf(all), ...all.map(({ text }) => text)].join("\n\n")}\n`);
}
process.exitCode = missed > 0 ? 1 : 0;

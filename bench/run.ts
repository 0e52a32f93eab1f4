import { readdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import type { Bench, Figure, Section } from "./time.js";

/** `npm run bench -- [name ...] [--write]`: runs `*.bench.ts` files and prints their tables. */
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const write = process.argv.includes("--write");

function line(figure: Figure): string {
  const digits = figure.value >= 100 ? 0 : figure.value >= 1 ? 2 : 4;
  const target =
    figure.target === undefined ? "" : `${figure.target.text} ${figure.target.met ? "met" : "MISSED"}`;
  return `| ${figure.name} | ${figure.value.toFixed(digits)} | ${figure.unit} | ${target} |`;
}

function table(section: Section): string {
  const head = "| what | value | unit | target |\n|---|---|---|---|";
  const notes = section.notes.length > 0 ? `${section.notes.join("\n")}\n\n` : "";
  return `### ${section.title}\n\n${notes}${head}\n${section.figures.map(line).join("\n")}\n`;
}

const machine = `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? "unknown processor"}`;
const texts = [`# Measured figures\n\nBy \`npm run bench -- --write\` on ${machine}.\n`];
let missed = 0;
for (const file of readdirSync(new URL(".", import.meta.url)).sort()) {
  const name = file.match(/^(.+)\.bench\.ts$/)?.[1];
  if (name === undefined || (wanted.length > 0 && !wanted.includes(name))) continue;
  const { bench } = (await import(`./${file}`)) as { bench: Bench };
  const sections = await bench.run();
  texts.push(`## ${bench.name}\n\n${sections.map(table).join("\n")}`);
  missed += sections
    .flatMap((section) => section.figures)
    .filter((figure) => figure.target?.met === false).length;
  process.stdout.write(`${texts.at(-1)}\n`);
}
process.stdout.write(`${machine}; ${missed} targets missed\n`);
if (write && wanted.length === 0) writeFileSync(new URL("table.md", import.meta.url), texts.join("\n"));
process.exitCode = missed > 0 ? 1 : 0;

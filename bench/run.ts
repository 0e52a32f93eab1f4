import { readdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import type { Bench, Figure, Section } from "./time.js";

/** `npm run bench -- [name ...] [--write]`: runs `*.bench.ts` files and prints their tables. */
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

/** For each row how many of its targets are met. */
function summary(sections: readonly Section[]): string {
  const rows = new Map<string, boolean[]>();
  for (const { row = "other", figures } of sections) {
    const met = figures.flatMap(({ target }) => (target === undefined ? [] : [target.met]));
    rows.set(row, [...(rows.get(row) ?? []), ...met]);
  }
  const lines = [...rows]
    .filter(([, met]) => met.length > 0)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([row, met]) => {
      const kept = met.filter(Boolean).length;
      return `| ${row} | ${kept} of ${met.length} | ${kept === met.length ? "yes" : "**no**"} |`;
    });
  return `| row | targets met | met |\n|---|---|---|\n${lines.join("\n")}`;
}

const machine = `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? "unknown processor"}`;
const texts: string[] = [];
const measured: Section[] = [];
for (const file of readdirSync(new URL(".", import.meta.url)).sort()) {
  const name = file.match(/^(.+)\.bench\.ts$/)?.[1];
  if (name === undefined || (wanted.length > 0 && !wanted.includes(name))) continue;
  const { bench } = (await import(`./${file}`)) as { bench: Bench };
  const sections = await bench.run();
  measured.push(...sections);
  texts.push([`## ${bench.name}`, ...sections.map(table)].join("\n\n"));
  process.stdout.write(`${texts.at(-1)}\n\n`);
}
const missed = measured
  .flatMap(({ figures }) => figures)
  .filter(({ target }) => target?.met === false).length;
process.stdout.write(`${summary(measured)}\n\n${machine}; ${missed} targets missed\n`);
if (write && wanted.length === 0) {
  const head = `# Measured figures\n\nBy \`npm run bench -- --write\` on ${machine}. Rows are explained in [README.md](README.md).`;
  writeFileSync(
    new URL("table.md", import.meta.url),
    `${[head, summary(measured), ...texts].join("\n\n")}\n`,
  );
}
process.exitCode = missed > 0 ? 1 : 0;

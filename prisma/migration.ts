import { mkdirSync, writeFileSync } from "node:fs";
import { pendingSql } from "./engine.js";

/** `npm run db:migration -- add_alert_rules` writes the migration that the schema lacks. */
const name = process.argv[2];
if (name === undefined || !/^[a-z][a-z0-9_]*$/.test(name)) {
  process.stderr.write("usage: npm run db:migration -- <verb_noun>\n");
  process.exit(2);
}
const sql = await pendingSql();
if (sql.trim() === "-- This is an empty migration.") {
  process.stdout.write("The migrations already lead to the schema.\n");
} else {
  const stamp = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
  const folder = new URL(`migrations/${stamp}_${name}/`, import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL("migration.sql", folder), sql);
  process.stdout.write(`${sql}\n`);
}
process.exit(0);

// Writes the Prisma client into src/platform/prisma, only when the schema changed since the last time.
// The CLI wants to download a schema engine before any command; generating does not use it, so it is given
// an existing file instead. The variable must not leak into other commands: they would do nothing and succeed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const schema = fileURLToPath(new URL("schema.prisma", import.meta.url));
const output = fileURLToPath(new URL("../src/platform/prisma", import.meta.url));
const stamp = `${output}/.schema-hash`;

const hash = createHash("sha256")
  .update(readFileSync(schema))
  .update(require("prisma/package.json").version)
  .digest("hex");
if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) process.exit(0);

const { status } = spawnSync(
  process.execPath,
  [require.resolve("prisma/build/index.js"), "generate", "--schema", schema],
  {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? process.execPath,
      CHECKPOINT_DISABLE: "1",
    },
  },
);
if (status === 0) writeFileSync(stamp, hash);
process.exit(status ?? 1);

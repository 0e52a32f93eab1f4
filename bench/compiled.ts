import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Compiles the project into a temporary folder, runs each script of bench there, one after another and with plain
 * node as production runs, and returns what each prints. A script is named with its arguments, `name argument`;
 * before them it gets the path of the bench folder.
 *
 * A bench itself runs under tsx, whose loader has detached array buffers between its threads; from then on V8
 * asks at every access to a typed array whether it is still attached, which makes kernels a quarter slower.
 */
export function runCompiled(scripts: readonly string[]): string[] {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "tx-bench-"));
  try {
    const compiler = join(
      dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
      "bin/tsc",
    );
    // Code is written even where types of other parts do not fit; whether they do, `npm run check` says.
    const options = ["-p", root, "--noEmit", "false", "--outDir", folder, "--rootDir", root];
    spawnSync(process.execPath, [compiler, ...options], { stdio: "ignore" });
    cpSync(join(root, "package.json"), join(folder, "package.json"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    return scripts.map((command) => {
      const [name, ...rest] = command.split(" ");
      const script = join(folder, "bench", `${name}.js`);
      if (!existsSync(script)) throw new Error(`${name} was not compiled`);
      return execFileSync(process.execPath, [script, join(root, "bench"), ...rest], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
        maxBuffer: 1 << 26,
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

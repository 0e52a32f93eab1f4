import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";

/** A folder and an empty database of the trials of a file, there from before the first until after the last. */
export interface TrialSetting {
  readonly folder: string;
  readonly database: TestDatabase;
  /** Rows of a query, over a connection of its own. */
  read<Row extends object>(query: string): Promise<Row[]>;
}

/** To be called once, where the trials of a file are defined; to be read within them. */
export function openSetting(): TrialSetting {
  const opened: { folder?: string; database?: TestDatabase } = {};
  beforeAll(async () => {
    opened.folder = mkdtempSync(join(tmpdir(), "tx-trial-"));
    chmodSync(opened.folder, 0o755);
    opened.database = await createTestDatabase("empty");
  });
  afterAll(async () => {
    await opened.database?.drop();
    if (opened.folder !== undefined) rmSync(opened.folder, { recursive: true, force: true });
  });
  const there = <Value>(value: Value | undefined): Value => {
    if (value === undefined) throw new Error("the setting is there within trials alone");
    return value;
  };
  return {
    get folder() {
      return there(opened.folder);
    },
    get database() {
      return there(opened.database);
    },
    async read<Row extends object>(query: string) {
      const client = new pg.Client(there(opened.database).connection);
      await client.connect();
      const { rows } = await client.query<Row>(query);
      await client.end();
      return rows;
    },
  };
}

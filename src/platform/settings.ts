import type { z } from "zod";
import type { Database } from "./database.js";
import { prepared } from "./prepared.js";

/** Named facts that outlive the process. */
export interface Settings {
  /** Null when it was never saved or no longer has the shape that is asked for. */
  load<T>(name: string, schema: z.ZodType<T>): Promise<T | null>;
  save(name: string, value: unknown): Promise<void>;
  /**
   * Changes a value from what it is, or from the fallback where there is none of this shape. Concurrent changes come
   * one after the other. What `change` throws leaves the value as it was.
   */
  update<T>(name: string, schema: z.ZodType<T>, fallback: T, change: (value: T) => T): Promise<T>;
  /** Saves unless there is one of this shape, and returns what then stands. */
  loadOrSave<T>(name: string, schema: z.ZodType<T>, value: T): Promise<T>;
}

const LOAD = prepared("select value from settings where name = $1");

export function createSettings(database: Database): Settings {
  async function load<T>(name: string, schema: z.ZodType<T>): Promise<T | null> {
    const [row] = await database.query<{ value: unknown }>(LOAD, [name]);
    return row === undefined ? null : (schema.safeParse(row.value).data ?? null);
  }
  async function save(name: string, value: unknown): Promise<void> {
    await database.query(
      `insert into settings (name, value) values ($1, $2::jsonb)
       on conflict (name) do update set value = excluded.value, updated_at = now()`,
      [name, JSON.stringify(value)],
    );
  }
  async function update<T>(
    name: string,
    schema: z.ZodType<T>,
    fallback: T,
    change: (value: T) => T,
  ): Promise<T> {
    return database.transaction(async (sql) => {
      await sql.query(
        "insert into settings (name, value) values ($1, $2::jsonb) on conflict (name) do nothing",
        [name, JSON.stringify(fallback)],
      );
      const [row] = await sql.query<{ value: unknown }>(
        "select value from settings where name = $1 for update",
        [name],
      );
      const next = change(schema.safeParse(row?.value).data ?? fallback);
      await sql.query("update settings set value = $2::jsonb, updated_at = now() where name = $1", [
        name,
        JSON.stringify(next),
      ]);
      return next;
    });
  }
  return {
    load,
    save,
    update,
    loadOrSave: (name, schema, value) => update(name, schema, value, (known) => known),
  };
}

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import { PrismaPg } from "@prisma/adapter-pg";
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from "@prisma/driver-adapter-utils";
import type { PoolConfig } from "pg";
import { PrismaPGlite } from "pglite-prisma-adapter";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

/** Node has WebAssembly; its type definitions come only with those of a browser. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: Record<string, () => void> };
}

/** The parts of Prisma's schema engine that are used here. */
interface Engine {
  diff(params: object): Promise<{ stdout?: string }>;
  applyMigrations(params: object): Promise<{ appliedMigrationNames: string[] }>;
  diagnoseMigrationHistory(params: object): Promise<Diagnosis>;
  free(): void;
}

type EngineModule = typeof import("@prisma/schema-engine-wasm/schema_engine_bg");

/** What Prisma says of the migrations of a database. */
export interface Diagnosis {
  /** Null when the database has all migrations and no others. */
  readonly history: { readonly diagnostic: string } | null;
  readonly hasMigrationsTable: boolean;
  /** Recorded as begun, and neither finished nor rolled back. */
  readonly failedMigrationNames: readonly string[];
  /** Applied with another text than the file has now. */
  readonly editedMigrationNames: readonly string[];
}

/**
 * SQL that leads from the migrations to the schema, by Prisma's own schema engine in WebAssembly over an
 * in-memory PGlite: the native engine is fetched at run time and may not be reachable.
 * @param schema text in Prisma's language, the one of `schema.prisma` unless given.
 */
export function pendingSql(schema = schemaFile().content): Promise<string> {
  return withEngine(inMemory, async (engine) => {
    const { stdout } = await engine.diff({
      from: { tag: "migrations", ...migrations() },
      to: { tag: "schemaDatamodel", files: [{ ...schemaFile(), content: schema }] },
      script: true,
      shadowDatabaseUrl: null,
      exitCode: null,
      filters: NO_FILTERS,
    });
    return stdout ?? "";
  });
}

/** Has Prisma's engine apply the migrations, as `prisma migrate deploy` does. @returns those applied now. */
export function applyWithPrisma(connection: PoolConfig): Promise<string[]> {
  return withEngine(
    () => new PrismaPg(connection).connect(),
    async (engine) => {
      const params = { migrationsList: migrations(), filters: NO_FILTERS };
      return (await engine.applyMigrations(params)).appliedMigrationNames;
    },
  );
}

/** What Prisma's engine says of a database, as `prisma migrate status` does. */
export function diagnoseWithPrisma(connection: PoolConfig): Promise<Diagnosis> {
  return withEngine(
    () => new PrismaPg(connection).connect(),
    (engine) =>
      engine.diagnoseMigrationHistory({
        migrationsList: migrations(),
        optInToShadowDatabase: false,
        filters: NO_FILTERS,
      }),
  );
}

const NO_FILTERS = { externalTables: [], externalEnums: [] };

function schemaFile(): { path: string; content: string } {
  return { path: `${FOLDER}schema.prisma`, content: readFileSync(`${FOLDER}schema.prisma`, "utf8") };
}

function migrations(): object {
  const baseDir = `${FOLDER}migrations`;
  const names = readdirSync(baseDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return {
    baseDir,
    lockfile: { path: "migration_lock.toml", content: 'provider = "postgresql"\n' },
    shadowDbInitScript: "",
    migrationDirectories: names.map((name) => ({
      path: name,
      migrationFile: {
        path: "migration.sql",
        content: { tag: "ok", value: readFileSync(`${baseDir}/${name}/migration.sql`, "utf8") },
      },
    })),
  };
}

/** @param connect to the database the engine works on. */
async function withEngine<T>(
  connect: () => Promise<SqlDriverAdapter>,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const { SchemaEngine } = await loadEngine();
  const open: SqlDriverAdapter[] = [];
  // Each shadow database is a fresh one in memory, whatever the engine works on: nothing real can be touched.
  const factory: SqlMigrationAwareDriverAdapterFactory = {
    provider: "postgres",
    adapterName: "pg",
    async connect() {
      const adapter = await connect();
      open.push(adapter);
      return adapter;
    },
    connectToShadowDb: inMemory,
  };
  const { path, content } = schemaFile();
  const options = { datamodels: [[path, content] as [string, string]] };
  const adapter = bindMigrationAwareSqlAdapterFactory(factory);
  const engine = (await SchemaEngine.new(options as never, () => undefined, adapter)) as Engine;
  try {
    return await work(engine);
  } finally {
    engine.free();
    await Promise.all(open.map((connection) => connection.dispose()));
  }
}

let loading: Promise<EngineModule> | null = null;

/** Once a process: the module keeps views of the memory it was first given. */
function loadEngine(): Promise<EngineModule> {
  loading ??= instantiate();
  return loading;
}

async function instantiate(): Promise<EngineModule> {
  const require = createRequire(import.meta.url);
  const path = require.resolve("@prisma/schema-engine-wasm/schema_engine_bg");
  // The package's entry imports .wasm as a module, which Node 20 cannot; so it is put together here.
  const glue = await import("@prisma/schema-engine-wasm/schema_engine_bg");
  const bytes = readFileSync(path.replace(/\.js$/, ".wasm"));
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: console.error } });
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
  const instance = new Instance(new Module(bytes), { "./schema_engine_bg.js": glue });
  (glue as unknown as { __wbg_set_wasm(exports: object): void }).__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return glue;
}

function inMemory(): Promise<SqlDriverAdapter> {
  return new PrismaPGlite(new PGlite()).connect();
}

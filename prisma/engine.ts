import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
} from "@prisma/driver-adapter-utils";
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
  free(): void;
}

/**
 * SQL that leads from the migrations to the schema, by Prisma's own schema engine in WebAssembly over an
 * in-memory PGlite: the native engine is fetched at run time and may not be reachable.
 */
export async function pendingSql(): Promise<string> {
  const schema = { path: `${FOLDER}schema.prisma`, content: readFileSync(`${FOLDER}schema.prisma`, "utf8") };
  const engine = await createEngine(schema);
  const { stdout } = await engine.diff({
    from: { tag: "migrations", ...migrations() },
    to: { tag: "schemaDatamodel", files: [schema] },
    script: true,
    shadowDatabaseUrl: null,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  });
  engine.free();
  return stdout ?? "";
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

async function createEngine(schema: { path: string; content: string }): Promise<Engine> {
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
  const adapter = bindMigrationAwareSqlAdapterFactory(inMemoryFactory());
  const options = { datamodels: [[schema.path, schema.content] as [string, string]] };
  return (await glue.SchemaEngine.new(options as never, () => undefined, adapter)) as Engine;
}

/** Each connection, and above all each shadow database, is a fresh PGlite: nothing real can be touched. */
function inMemoryFactory(): SqlMigrationAwareDriverAdapterFactory {
  const connect = () => new PrismaPGlite(new PGlite()).connect();
  return { provider: "postgres", adapterName: "pglite", connect, connectToShadowDb: connect };
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateApi } from "swagger-typescript-api";
import { buildApp } from "../src/app.js";
import { compose } from "../src/compose.js";
import { readConfig } from "../src/platform/config.js";
import { createLog } from "../src/platform/log.js";

type Document = NonNullable<Parameters<typeof generateApi>[0]["spec"]>;

const TEMPLATES = fileURLToPath(new URL("client-templates", import.meta.url));

/** The OpenAPI document of a server that listens. @param key an API key, where the server demands one. */
export async function documentAt(url: string, key: string | undefined): Promise<Document> {
  const headers: Record<string, string> = key === undefined ? {} : { "x-api-key": key };
  const answer = await fetch(new URL("/swagger.json", url), { headers });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status} for its document`);
  return (await answer.json()) as Document;
}

/** The document of this source, by a server over a database of its own that never listens. */
export async function ownDocument(): Promise<Document> {
  const folder = mkdtempSync(join(tmpdir(), "tx-client-"));
  const scrub = (text: string) => text;
  const config = readConfig({ DATA_DIR: folder, ENABLE_BACKGROUND_WORKERS: "false", PORT: "0" });
  const program = await compose({
    config,
    log: createLog({ level: "error", structured: false, scrub }),
    scrub,
  });
  try {
    const app = await buildApp(program);
    await app.server.ready();
    const document = app.server.swagger() as object as Document;
    await app.close();
    return document;
  } finally {
    await program.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Operation {
  readonly responses?: Readonly<Record<string, { readonly content?: object }>>;
}

/** Streams of events never end: a call that waits for all of one would never answer. */
function withoutStreams(document: Document): Document {
  const kept = structuredClone(document) as Document & { paths?: Record<string, Record<string, Operation>> };
  for (const operations of Object.values(kept.paths ?? {})) {
    for (const [method, { responses = {} }] of Object.entries(operations)) {
      const types = Object.keys(responses["200"]?.content ?? {});
      if (types.length === 1 && types[0] === "text/event-stream") delete operations[method];
    }
  }
  return kept;
}

/** Writes the client of a document: a method for each operation but streams, whose answer is its data or its error. */
export async function writeClient(document: Document, folder: string): Promise<string> {
  const { files } = await generateApi({
    spec: withoutStreams(document),
    templates: TEMPLATES,
    output: false,
    silent: true,
    apiClassName: "TxClient",
    generateUnionEnums: true,
    codeGenConstructs: ({ Keyword }) => ({ Keyword: { ...Keyword, Any: "unknown" } }),
  });
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "tx-client.ts");
  writeFileSync(path, files.map(({ fileContent }) => fileContent).join("\n"));
  return path;
}

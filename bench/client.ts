import { parseArgs } from "node:util";
import { documentAt, ownDocument, writeClient } from "./client-files.js";

/**
 * `npm run client -- [--url http://127.0.0.1:3000] [--key tx_...] [--out client]` writes a TypeScript client of the API, of
 * the server at the address or else of this source.
 */
const { values } = parseArgs({
  options: { url: { type: "string" }, key: { type: "string" }, out: { type: "string", default: "client" } },
});
const document = values.url === undefined ? await ownDocument() : await documentAt(values.url, values.key);
process.stdout.write(`${await writeClient(document, values.out)}\n`);
process.exit(0);

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { AppError } from "../../platform/errors.js";
import { routeGroup } from "../../platform/http.js";
import { one } from "./account-routes.js";
import { termsFrom } from "./account-terms.js";
import type { PaperDesk } from "./feature.js";
import { accountBody, accountSchema } from "./schema.js";
import type { AccountRow } from "./store.js";
import { checkedRows, csvOf, MOST_ROWS, rowSchema, rowsOf } from "./transfer-file.js";
import { accountView } from "./views.js";

/** Accounts as files. */
export function paperTransferRoutes(app: FastifyInstance, { paper }: { paper: PaperDesk }): void {
  const routes = routeGroup(app, { tag: "Paper trading", access: "trader", perMinute: 5 });
  const { accounts, transfers, doOnce } = paper;

  routes.get("/api/paper-trade/accounts/:id/export", {
    id: "exportPaperAccount",
    summary: "Every transaction of an account, as JSON or as the text of a CSV file",
    access: "viewer",
    perMinute: 10,
    params: one,
    query: z.strictObject({ format: z.enum(["json", "csv"]).default("json") }),
    answer: {
      data: z.object({
        account: accountSchema,
        record_count: z.number().int(),
        transactions: z.array(rowSchema).nullable(),
        csv_content: z.string().nullable(),
        filename: z.string(),
      }),
    },
    errors: ["account_not_found", "trading_halted"],
    async handle({ params, query, principal }) {
      const account = await accounts.find(principal.userId, params.id);
      const rows = await transfers.export(account);
      const isCsv = query.format === "csv";
      return {
        data: {
          account: accountView(account),
          record_count: rows.length,
          transactions: isCsv ? null : rows,
          csv_content: isCsv ? csvOf(rows) : null,
          filename: `paper-account-${account.id}.${query.format}`,
        },
      };
    },
  });
  routes.post("/api/paper-trade/accounts/import", {
    id: "importPaperAccount",
    summary: "Open an account that made the transactions of such a file",
    description:
      "Takes what an export answers with, as it is, whether all of it or its `data`: the terms of its account unless the body says others. Nothing of it is matched anew: prices are as the file has them, and its trades say that they were imported.",
    perMinute: 5,
    bodyLimit: IMPORT_BYTES,
    answerWithinMs: 12_000,
    body: importBody,
    status: 201,
    answer: { data: accountSchema, record_count: z.number().int() },
    errors: ["conflict", "symbol_invalid", "symbol_unknown", "idempotency_key_reused"],
    async handle({ body, principal: { userId }, request, reply }) {
      const { account: exported, transactions = null, csv_content: csv = null, ...file } = fileIn(body);
      if ((transactions === null) === (csv === null)) {
        throw new AppError("invalid_request", "body: needs transactions or csv_content");
      }
      const name = body.name ?? exported?.name;
      if (name === undefined) throw new AppError("invalid_request", "body name: is missing");
      const terms = { ...(exported === undefined ? {} : termsFrom(exported)), ...termsFrom(body) };
      const rows = await (csv === null ? checkedRows(transactions ?? []) : rowsOf(csv));
      requireCount(file.record_count, rows.length);
      return doOnce(
        { userId, operation: "importPaperAccount", request, reply },
        (account: AccountRow, _same: AccountRow) => ({
          data: accountView(account),
          record_count: rows.length,
        }),
        (sealOf) =>
          transfers.import(userId, { ...terms, name }, rows, async (sql, row) => sealOf(row)?.(sql, row)),
      );
    },
  });
}

const IMPORT_BYTES = 16 * 1_048_576;
/** Rows are checked as they are read, in slices. */
const unchecked = z.unknown().meta({ $ref: "#/components/schemas/PaperTransactionInput" });
/** Terms as an export tells them, each once; the rest of what it tells is not read. */
const exportedAccount = z.object(
  accountBody.omit({ cash: true, slippage_bps: true, commission_percent: true }).shape,
);
/** What an export has in `data`. */
const exportedFile = z.strictObject({
  account: exportedAccount.optional().describe("Of an export: its name and its terms"),
  record_count: z.number().int().optional().describe("How many transactions there are to be"),
  filename: z.string().max(200).optional().describe("Not read"),
  transactions: z.array(unchecked).max(MOST_ROWS).nullish(),
  csv_content: z.string().max(IMPORT_BYTES).nullish(),
});
const importBody = accountBody
  .omit({ cash: true })
  .partial({ name: true })
  .extend({
    ...exportedFile.shape,
    success: z.literal(true).optional().describe("Of the whole answer of an export; not read"),
    synthetic: z.boolean().optional().describe("Of the same; not read"),
    data: exportedFile.optional().describe("Of the same, in place of what it has in it"),
  });

/** @throws {AppError} `invalid_request` where there are two files. */
function fileIn({ data, ...body }: z.output<typeof importBody>): z.output<typeof exportedFile> {
  if (data === undefined) return body;
  for (const name of ["account", "record_count", "filename", "transactions", "csv_content"] as const) {
    if (body[name] === undefined) continue;
    throw new AppError("invalid_request", `body: has data and ${name}, of which one is accepted`);
  }
  return data;
}

/** @throws {AppError} `invalid_request` for a file that is not whole. */
function requireCount(said: number | undefined, rows: number): void {
  if (said === undefined || said === rows) return;
  throw new AppError("invalid_request", `body record_count: is ${said}, and there are ${rows} transactions`);
}

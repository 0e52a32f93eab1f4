import { randomBytes } from "node:crypto";
import type { Database, Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import { sha256 } from "../../platform/sha256.js";
import { epochMs } from "../../platform/sql-epoch.js";

/** An order as it was shown: values by field, null for what it has not. */
export type AskedOrder = Readonly<Record<string, string | number | null>>;

export interface NewPreview {
  readonly userId: string;
  readonly accountId: string;
  readonly asked: AskedOrder;
  /** Whether the pre-trade check had nothing against it. */
  readonly checked: boolean;
}

/**
 * Orders that were shown to their traders, each of which may be placed once, soon, and as it was shown. They are kept in
 * the database, so that every instance knows them, also after a restart.
 */
export interface Previews {
  /** @returns the token that stands for the order, which is kept as its digest alone; and when it ends, epoch ms. */
  issue(preview: NewPreview): Promise<{ readonly token: string; readonly expiresAt: number }>;
  /** Whether a token stands for an order now. @throws {AppError} `confirmation_refused` with the reason. */
  examine(
    token: string,
    order: Pick<NewPreview, "userId" | "accountId" | "asked">,
  ): Promise<Pick<NewPreview, "checked">>;
  /** Uses a token up within the transaction that places its order. @throws {AppError} `confirmation_refused`. */
  use(sql: Sql, token: string, orderId: string): Promise<void>;
}

const LIFE_MS = 300_000;
const HOUR_MS = 3_600_000;

interface Row {
  userId: string;
  accountId: string;
  asked: AskedOrder;
  checked: boolean;
  expiresAt: number;
  orderId: string | null;
}

const FIND = [
  `select user_id as "userId", account_id as "accountId", asked, checked, order_id as "orderId"`,
  `${epochMs("expires_at", "expiresAt")} from order_previews where digest = $1`,
].join(", ");

export function createPreviews(database: Database, now: () => number): Previews {
  return {
    async issue({ userId, accountId, asked, checked }) {
      const token = `confirm_${randomBytes(24).toString("base64url")}`;
      const expiresAt = now() + LIFE_MS;
      await database.query(
        `insert into order_previews (digest, user_id, account_id, asked, checked, expires_at)
         values ($1, $2, $3, $4, $5, to_timestamp($6::float8 / 1000))`,
        [digestOf(token), userId, accountId, JSON.stringify(asked), checked, expiresAt],
      );
      // For an hour it is told why a token does not stand any more.
      const gone = now() - HOUR_MS;
      await database.query("delete from order_previews where expires_at < to_timestamp($1::float8 / 1000)", [
        gone,
      ]);
      return { token, expiresAt };
    },

    async examine(token, order) {
      const [row] = await database.query<Row>(FIND, [digestOf(token)]);
      // Whoever holds the token of another learns no more than whoever made one up.
      if (row === undefined || row.userId !== order.userId)
        throw refused("unknown: no preview has this token");
      if (row.orderId !== null) throw used(row.orderId);
      if (row.expiresAt <= now()) throw refused("expired: the preview is too old");
      if (row.accountId !== order.accountId)
        throw refused("other_account: it was previewed for another account");
      const changed = changedFields(row.asked, order.asked);
      if (changed.length > 0) throw refused(`other_arguments: ${changed.join(", ")} differ from the preview`);
      return { checked: row.checked };
    },

    async use(sql, token, orderId) {
      const digest = digestOf(token);
      const rows = await sql.query(
        `update order_previews set used_at = to_timestamp($2::float8 / 1000), order_id = $3
         where digest = $1 and order_id is null returning digest`,
        [digest, now(), orderId],
      );
      if (rows.length > 0) return;
      const [row] = await sql.query<Row>(FIND, [digest]);
      throw used(row?.orderId ?? null);
    },
  };
}

const digestOf = (token: string) => sha256(token);

const refused = (detail: string) => new AppError("confirmation_refused", detail);

function used(orderId: string | null): AppError {
  return refused(orderId === null ? "already_used" : `already_used: it placed the order ${orderId}`);
}

function changedFields(shown: AskedOrder, given: AskedOrder): string[] {
  const fields = new Set([...Object.keys(shown), ...Object.keys(given)]);
  return [...fields].filter((field) => (shown[field] ?? null) !== (given[field] ?? null)).sort();
}

import { z } from "zod";
import { MOST_SYMBOLS } from "../../features/watchlists/store.js";
import { assetSchema } from "./schema.js";

const name = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .refine((text) => !text.includes("\u0000"), { message: "holds a character that cannot be stored" });
const symbol = z.string().min(1).max(40);

/** A null among the symbols says nothing, as in the documents of the dialect. */
export const watchlistBody = z.object({
  name,
  symbols: z
    .array(symbol.nullable())
    .max(MOST_SYMBOLS)
    .transform((symbols) => symbols.filter((each) => each !== null))
    .optional(),
});

export const symbolBody = z.object({ symbol });
export const watchlistParams = z.object({
  watchlist_id: z.uuid().describe("Of one of the caller's watchlists"),
});
export const nameQuery = z.object({ name: name.describe("Of one of the caller's watchlists") });

const headSchema = z.object({
  id: z.uuid(),
  account_id: z.uuid(),
  name: z.string(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export const watchlistHeadSchema = headSchema.meta({ id: "AlpacaWatchlistHead" });
export const watchlistSchema = headSchema
  .extend({ assets: assetSchema.array().describe("In the order in which they came") })
  .meta({ id: "AlpacaWatchlist" });

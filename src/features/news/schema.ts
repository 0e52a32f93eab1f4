import { z } from "zod";
import { wholeNumberText } from "../../platform/http.js";
import { LINK_WAYS } from "./link.js";

export const KINDS = ["news", "reddit", "twitter"] as const;

export const newsSchema = z
  .object({
    id: z.number().int(),
    kind: z.enum(KINDS),
    publisher: z.string(),
    title: z.string().describe("Plain text from outside: escape it wherever it is shown"),
    summary: z.string().describe("As title; may be empty"),
    url: z.string().nullable().describe("http or https; null where the source gave no such address"),
    published_at: z.iso.datetime(),
    first_seen_at: z.iso.datetime(),
    source: z.string().describe("Feed that gave it first"),
    carriers: z.array(z.string()).describe("Every feed that gave it"),
    symbols: z.array(
      z.object({
        symbol: z.string(),
        linked_by: z
          .enum(LINK_WAYS)
          .describe(
            "vendor: it said so; cashtag: $AAPL; listing: (NASDAQ: AAPL) or (AAPL); ticker: AAPL, found by it; name: Apple",
          ),
      }),
    ),
  })
  .meta({ id: "NewsDocument" });

const PLACE = /^\d{1,15}-\d{1,15}$/;

export const newsQuery = z.strictObject({
  symbol: z.string().min(1).max(40).optional(),
  kind: z.enum(KINDS).optional(),
  limit: wholeNumberText(1, 200).prefault("50"),
  after: z
    .string()
    .regex(PLACE, "must be the next of a page before")
    .transform((text) => {
      const [publishedMs, id] = text.split("-").map(Number);
      return { publishedMs, id };
    })
    .refine(({ publishedMs }) => publishedMs <= 253_402_300_799_999, {
      message: "must be the next of a page before",
    })
    .optional()
    .meta({ type: "string", description: "The next of the page before" }),
});

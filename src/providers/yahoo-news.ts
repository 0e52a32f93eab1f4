import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import type { Instrument } from "../core/market/instrument.js";
import type { HttpAnswer, HttpRequest } from "../platform/http-client.js";
import { addressAt } from "./address.js";
import { payloadOf, rateLimited, requireWell } from "./answer.js";
import { type NewsItem, ProviderError } from "./define.js";
import { serviceSymbol } from "./yahoo-symbol.js";

/** Whose headlines stand for markets at large. */
const MARKETS = "^GSPC";
const TITLE_LENGTH = 500;
const SUMMARY_LENGTH = 4_000;
/** Feeds have some 20 headlines; reading more than so many characters would hold up everybody else. */
const FEED_LENGTH = 262_144;

const text = z.string().transform((given) => given.replace(/\s+/g, " ").trim());
const feedSchema = z.object({
  rss: z.object({
    channel: z.object({
      title: text.optional(),
      item: z
        .array(
          z.object({
            title: text,
            link: text,
            guid: text.optional(),
            description: text.optional(),
            source: text.optional(),
            pubDate: text,
          }),
        )
        .optional(),
    }),
  }),
});

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  isArray: (name) => name === "item",
});

/** The request for the headlines (RSS 2.0) of an instrument, or of markets at large; the newest few, without a choice. */
export function headlinesRequest(feedUrl: string, instrument: Instrument | null): HttpRequest {
  const url = addressAt(feedUrl, "/rss/2.0/headline");
  url.searchParams.set("s", instrument === null ? MARKETS : serviceSymbol(instrument.symbol));
  url.searchParams.set("region", "US");
  url.searchParams.set("lang", "en-US");
  return { url: url.href, headers: { accept: "application/rss+xml, application/xml, text/xml" } };
}

/**
 * Headlines published in [fromMs, toMs), newest first. Entities are resolved, markup stays in the text. Left out are
 * those without a date or whose address is none of the web.
 * @throws {ProviderError} `bad_payload` for what is no feed, declares entities of its own or is of another symbol.
 */
export function headlinesOf(
  answer: HttpAnswer,
  of: { readonly instrument: Instrument | null; readonly fromMs: number; readonly toMs: number },
  nowMs: number,
): NewsItem[] {
  if (/^\s*too many requests/i.test(answer.text)) throw rateLimited(answer, nowMs);
  requireWell(answer, nowMs);
  if (answer.status === 404) throw new ProviderError("unknown_symbol", "no headlines for this symbol");
  if (answer.status >= 400) throw new ProviderError("refused", `answered ${answer.status}`);
  const { channel } = payloadOf(feedSchema, xmlOf(answer), "feed").rss;
  const symbol = of.instrument === null ? MARKETS : serviceSymbol(of.instrument.symbol);
  const named = /^Yahoo! Finance: (\S+) News$/.exec(channel.title ?? "")?.[1];
  if (named !== undefined && named.toUpperCase() !== symbol) {
    throw new ProviderError("bad_payload", `answered for ${named.slice(0, 24)} instead of ${symbol}`);
  }
  return (channel.item ?? [])
    .map((item): NewsItem | null => {
      const publishedMs = /^([A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} /.test(item.pubDate)
        ? Date.parse(item.pubDate)
        : Number.NaN;
      const url = URL.canParse(item.link) ? new URL(item.link) : null;
      if (url === null || !/^https?:$/.test(url.protocol) || item.title === "") return null;
      if (!(publishedMs >= of.fromMs && publishedMs < of.toMs)) return null;
      return {
        id: item.guid || url.href,
        publisher: item.source || "Yahoo Finance",
        title: item.title.slice(0, TITLE_LENGTH),
        summary: (item.description ?? "").slice(0, SUMMARY_LENGTH),
        url: url.href,
        publishedMs,
        symbols: of.instrument === null ? [] : [of.instrument.symbol],
      };
    })
    .filter((item) => item !== null)
    .sort((a, b) => b.publishedMs - a.publishedMs);
}

function xmlOf(answer: HttpAnswer): unknown {
  if (answer.text.length > FEED_LENGTH) {
    throw new ProviderError("bad_payload", `answered with more than ${FEED_LENGTH} characters`);
  }
  if (/<!(DOCTYPE|ENTITY)/i.test(answer.text)) {
    throw new ProviderError("bad_payload", "answered with a document of another kind than a feed");
  }
  try {
    return parser.parse(answer.text, true);
  } catch (error) {
    throw new ProviderError("bad_payload", "answered with text that is not XML", { cause: error });
  }
}

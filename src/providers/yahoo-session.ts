import { z } from "zod";
import type { HttpAnswer, HttpClient } from "../platform/http-client.js";
import { addressAt } from "./address.js";
import { fetchAnswer, rateLimited, requireWell } from "./answer.js";
import { ProviderError } from "./define.js";
import { bodyOf } from "./yahoo-answer.js";

/** What the quote service wants to see: secrets of a visit, never logged. */
interface YahooSession {
  readonly cookie: string;
  readonly crumb: string;
}

export interface YahooSessions {
  /**
   * The payload of an address that needs a crumb. A session that is no longer taken is opened anew, once.
   * @throws {ProviderError} `unauthorized` while no session is to be had, or the new one is not taken either.
   */
  fetchBody(urlOf: (crumb: string) => string, signal: AbortSignal): Promise<unknown>;
}

/** How long it is not tried again to open a session after none was given, or a new one was not taken. */
const REST_MS = 600_000;

/**
 * One session for all: each page sets a cookie, whatever its status, and for the cookie there is a crumb. Opening does
 * not end with the request that asked for it, since others wait for the same one.
 */
export function createYahooSessions(options: {
  baseUrl: string;
  /** A page of the service that sets a cookie. */
  cookieUrl: string;
  http: HttpClient;
  now: () => number;
}): YahooSessions {
  const { baseUrl, cookieUrl, http, now } = options;
  let opening: Promise<YahooSession | null> | null = null;
  let session: YahooSession | null = null;
  let restUntil = 0;

  async function open(): Promise<YahooSession> {
    const { signal } = new AbortController();
    const page = await fetchAnswer(http, { url: cookieUrl, headers: { accept: "text/html" } }, signal);
    if (page.status === 429) throw rateLimited(page, now());
    const cookie = cookieOf(page);
    const url = addressAt(baseUrl, "/v1/test/getcrumb").href;
    const headers = { accept: "text/plain", cookie };
    return { cookie, crumb: crumbOf(await fetchAnswer(http, { url, headers }, signal), now()) };
  }

  async function openOrRest(): Promise<YahooSession | null> {
    try {
      session = await open();
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      if (error.failure === "rate_limited") throw error;
      restUntil = now() + REST_MS;
      session = null;
    }
    return session;
  }

  async function current(): Promise<YahooSession> {
    if (session !== null) return session;
    if (now() >= restUntil) {
      opening ??= openOrRest().finally(() => {
        opening = null;
      });
    }
    const opened = await opening;
    if (opened === null) throw new ProviderError("unauthorized", "no session is given");
    return opened;
  }

  /** The answer in a session, null where the session is not taken. */
  async function ask(urlOf: (crumb: string) => string, signal: AbortSignal): Promise<HttpAnswer | null> {
    const used = await current();
    const request = { url: urlOf(used.crumb), headers: { cookie: used.cookie } };
    const answer = await fetchAnswer(http, request, signal);
    if (!isRefusal(answer)) return answer;
    // Another may have opened a new one since.
    if (session === used) session = null;
    return null;
  }

  return {
    async fetchBody(urlOf, signal) {
      const answer = (await ask(urlOf, signal)) ?? (await ask(urlOf, signal));
      if (answer !== null) return bodyOf(answer, now());
      restUntil = now() + REST_MS;
      throw new ProviderError("unauthorized", "the session is not taken");
    },
  };
}

/** The cookies that an answer sets, as a request sends them back. @throws {ProviderError} `unauthorized` for none. */
export function cookieOf({ headers }: HttpAnswer): string {
  const pairs = headers.getSetCookie().map((text) => text.split(";", 1)[0].trim());
  const cookie = pairs.filter((pair) => /^[\w.-]+=[!-~]+$/.test(pair)).join("; ");
  if (cookie === "") throw new ProviderError("unauthorized", "no cookie was given");
  return cookie;
}

/** @throws {ProviderError} `rate_limited` for the words that come in its place; `unauthorized` where none came. */
export function crumbOf(answer: HttpAnswer, nowMs: number): string {
  const crumb = answer.text.trim();
  if (/^too many requests/i.test(crumb)) throw rateLimited(answer, nowMs);
  requireWell(answer, nowMs);
  if (answer.status !== 200 || !/^[\w./=+-]{5,64}$/.test(crumb)) {
    throw new ProviderError("unauthorized", "no crumb was given");
  }
  return crumb;
}

const refusalSchema = z.record(z.string(), z.object({ error: z.object({ code: z.string() }) }));

/** Whether an answer says that the session is not taken, which it does with 401 or in words with any status. */
export function isRefusal({ status, text }: HttpAnswer): boolean {
  if (status === 401) return true;
  if (!/"(Unauthorized|Invalid Crumb)"/i.test(text)) return false;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return false;
  }
  const refusal = refusalSchema.safeParse(body);
  return refusal.success && Object.values(refusal.data).some(({ error }) => error.code === "Unauthorized");
}

import { AsyncLocalStorage } from "node:async_hooks";
import { messageOf } from "./errors.js";

/** An answer from outside: untrusted text, whatever the status. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a POST sends, as it is. */
export interface HttpPost extends HttpRequest {
  readonly body: string;
}

export type HttpFailure = "timeout" | "network" | "too_large" | "redirect" | "aborted";

/** No usable answer arrived. */
export class HttpClientError extends Error {
  override readonly name = "HttpClientError";
  readonly failure: HttpFailure;
  constructor(failure: HttpFailure, detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.failure = failure;
  }
}

const announcements = new AsyncLocalStorage<() => Promise<void>>();

/**
 * Runs work whose requests are told of before they are made, by whichever client: so they can be counted where the
 * work is begun. What `announce` throws is thrown instead of asking.
 */
export function announcing<T>(announce: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  return announcements.run(announce, work);
}

/** Tells whoever began the work of a request that is about to be made. @throws what `announce` throws. */
export async function announceRequest(): Promise<void> {
  await announcements.getStore()?.();
}

export interface HttpClient {
  /**
   * One GET. Redirects are refused, the whole answer must arrive within the time limit and stay within the size
   * limit. Never tried again here.
   * @throws {HttpClientError}
   */
  get(request: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer>;
}

export interface HttpPoster {
  /** One POST under the rules of `get`. @throws {HttpClientError} */
  post(request: HttpPost, signal?: AbortSignal): Promise<HttpAnswer>;
}

export interface HttpClientOptions {
  readonly timeoutMs: number;
  readonly limitBytes: number;
  readonly userAgent: string;
}

export function createHttpClient({
  timeoutMs,
  limitBytes,
  userAgent,
}: HttpClientOptions): HttpClient & HttpPoster {
  async function fetchText(request: HttpRequest | HttpPost, signal: AbortSignal): Promise<HttpAnswer> {
    const response = await fetch(request.url, {
      ...("body" in request ? { method: "POST", body: request.body } : {}),
      headers: { accept: "application/json", "user-agent": userAgent, ...request.headers },
      redirect: "manual",
      signal,
    });
    const { status } = response;
    if (status >= 300 && status < 400) {
      await response.body?.cancel();
      throw new HttpClientError("redirect", `answered with a redirect (${status})`);
    }
    return { status, headers: response.headers, text: await readText(response, limitBytes) };
  }

  async function exchange(request: HttpRequest | HttpPost, signal?: AbortSignal): Promise<HttpAnswer> {
    await announceRequest();
    // Not AbortSignal.any with AbortSignal.timeout: those stay on the caller's signal for as long as it lives,
    // and a time-out that only they refer to is collected before it fires.
    const giving = new AbortController();
    const giveUp = () => giving.abort();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      giveUp();
    }, timeoutMs);
    if (signal?.aborted === true) giveUp();
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      return await fetchText(request, giving.signal);
    } catch (error) {
      if (error instanceof HttpClientError) throw error;
      if (late) throw new HttpClientError("timeout", `no answer within ${timeoutMs} ms`, error);
      if (signal?.aborted === true) throw new HttpClientError("aborted", "given up by the caller", error);
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      throw new HttpClientError("network", messageOf(cause), error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
    }
  }

  return { get: exchange, post: exchange };
}

/** The body as UTF-8, what is none of it replaced, without a byte order mark. */
async function readText(response: Response, limitBytes: number): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > limitBytes) {
      await reader.cancel();
      throw new HttpClientError("too_large", `the answer is larger than ${limitBytes} bytes`);
    }
    chunks.push(value);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

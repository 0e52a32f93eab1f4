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

export interface HttpClient {
  /**
   * One GET. Redirects are refused, the whole answer must arrive within the time limit and stay within the size
   * limit. Never tried again here.
   * @throws {HttpClientError}
   */
  get(request: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer>;
}

export interface HttpClientOptions {
  readonly timeoutMs: number;
  readonly limitBytes: number;
  readonly userAgent: string;
}

export function createHttpClient({ timeoutMs, limitBytes, userAgent }: HttpClientOptions): HttpClient {
  return {
    async get({ url, headers }, signal) {
      const timeout = AbortSignal.timeout(timeoutMs);
      const combined = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
      try {
        const response = await fetch(url, {
          headers: { accept: "application/json", "user-agent": userAgent, ...headers },
          redirect: "manual",
          signal: combined,
        });
        if (response.status >= 300 && response.status < 400) {
          await response.body?.cancel();
          throw new HttpClientError("redirect", `answered with a redirect (${response.status})`);
        }
        return {
          status: response.status,
          headers: response.headers,
          text: await readText(response, limitBytes),
        };
      } catch (error) {
        if (error instanceof HttpClientError) throw error;
        if (timeout.aborted) throw new HttpClientError("timeout", `no answer within ${timeoutMs} ms`, error);
        if (signal?.aborted === true) throw new HttpClientError("aborted", "given up by the caller", error);
        const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
        throw new HttpClientError("network", messageOf(cause), error);
      }
    },
  };
}

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
  return Buffer.concat(chunks).toString("utf8");
}

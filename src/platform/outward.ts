import { lookup } from "node:dns/promises";
import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { isPublicAddress } from "./addresses.js";
import { sleep } from "./clock.js";
import { messageOf } from "./errors.js";

/** Refused: the address may not be spoken to, now or ever; the others may go better another time. */
export type OutwardFailure = "refused" | "unresolved" | "timeout" | "network" | "aborted";

/** Nothing was answered. */
export class OutwardError extends Error {
  override readonly name = "OutwardError";
  readonly failure: OutwardFailure;
  constructor(failure: OutwardFailure, detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.failure = failure;
  }
}

export interface OutwardRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Untrusted, whatever the status; the text is what came of it within a second, cut off at the size limit. */
export interface OutwardAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/**
 * POSTs to addresses that users name. A name is resolved once, all of its addresses have to be public, and what is
 * connected to is exactly the address that was looked at. Redirects are answers and are not followed. What the operator
 * vouches for may be anywhere.
 */
export interface Outward {
  /** @throws {OutwardError} `refused`; a name that does not resolve now is none of its business. */
  check(url: string): Promise<void>;
  /** @throws {OutwardError} */
  post(request: OutwardRequest, signal?: AbortSignal): Promise<OutwardAnswer>;
}

export interface Resolved {
  readonly address: string;
  readonly family: number;
}

export interface OutwardOptions {
  /** Whether `http:` will do. */
  readonly http: boolean;
  /** Ports that may be spoken to, beside those of the schemes. */
  readonly ports: readonly number[];
  /** Origins that the operator vouches for: they may be on any network, and have any port and scheme. */
  readonly origins?: readonly string[];
  readonly timeoutMs?: number;
  readonly limitBytes?: number;
  readonly resolve?: (host: string) => Promise<readonly Resolved[]>;
  readonly isAllowed?: (address: string) => boolean;
}

const TIMEOUT_MS = 5_000;
const LIMIT_BYTES = 65_536;
/** How long the text of an answer is read: its status is the answer, and says whether to send again. */
const TEXT_MS = 1_000;
/** How long a check waits for a resolver. */
const CHECK_MS = 700;
/** Names of hosts that are of one network alone. */
const LOCAL_NAME = /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|arpa)$/;

const resolveAll = (host: string): Promise<Resolved[]> => lookup(host, { all: true, verbatim: true });

export function createOutward(options: OutwardOptions): Outward {
  const { timeoutMs = TIMEOUT_MS, resolve = resolveAll, isAllowed = isPublicAddress } = options;

  /** The one address that is connected to. */
  async function resolved(url: URL): Promise<Resolved> {
    const host = hostOf(url);
    const admit = (address: string) => {
      if (isVouched(url, options) || isAllowed(address)) return;
      throw new OutwardError("refused", `${host} is not on the public internet`);
    };
    const family = isIP(host);
    if (family !== 0) {
      admit(host);
      return { address: host, family };
    }
    let found: readonly Resolved[];
    try {
      found = await resolve(host);
    } catch (error) {
      throw new OutwardError("unresolved", `${host} does not resolve`, error);
    }
    for (const { address } of found) admit(address);
    const [first] = found;
    if (first === undefined) throw new OutwardError("unresolved", `${host} does not resolve`);
    return first;
  }

  return {
    async check(text) {
      const resolving = resolved(readAddress(text, options));
      try {
        await Promise.race([resolving, sleep(CHECK_MS)]);
      } catch (error) {
        if (error instanceof OutwardError && error.failure === "refused") throw error;
      }
      // Whoever resolves too slowly is asked again before anything is sent.
      resolving.catch(() => undefined);
    },
    async post(request, signal) {
      const url = readAddress(request.url, options);
      const giving = new AbortController();
      let late = false;
      const giveUp = () => giving.abort();
      const timer = setTimeout(() => {
        late = true;
        giveUp();
      }, timeoutMs);
      if (signal?.aborted === true) giveUp();
      signal?.addEventListener("abort", giveUp, { once: true });
      try {
        const pinned = await unlessAborted(resolved(url), giving.signal);
        return await exchange(url, pinned, request, options.limitBytes ?? LIMIT_BYTES, giving.signal);
      } catch (error) {
        if (late) throw new OutwardError("timeout", `no answer within ${timeoutMs} ms`, error);
        if (signal?.aborted === true) throw new OutwardError("aborted", "given up by the server", error);
        if (error instanceof OutwardError) throw error;
        throw new OutwardError("network", messageOf(error), error);
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
      }
    },
  };
}

/** Refuses by the text alone. URLs write numbers in any spelling as the address that they are. */
function readAddress(text: string, options: OutwardOptions): URL {
  const { http, ports } = options;
  if (!URL.canParse(text)) throw new OutwardError("refused", "is no address");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    throw new OutwardError("refused", "must name no user and no password");
  }
  if (isVouched(url, options)) return url;
  const schemes = http ? ["https:", "http:"] : ["https:"];
  if (!schemes.includes(url.protocol)) {
    throw new OutwardError("refused", `must begin with ${schemes.map((each) => `${each}//`).join(" or ")}`);
  }
  if (url.port !== "" && !ports.includes(Number(url.port))) {
    throw new OutwardError("refused", `port ${url.port} is not allowed`);
  }
  const host = hostOf(url);
  if (isIP(host) === 0 && (!host.includes(".") || LOCAL_NAME.test(host))) {
    throw new OutwardError("refused", `${host} is no name of the public internet`);
  }
  return url;
}

const isVouched = ({ origin }: URL, { origins = [] }: OutwardOptions) => origins.includes(origin);

/** Without the brackets of IPv6 and the dot of the root. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.+$/, "");
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error("given up"));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function exchange(
  url: URL,
  pinned: Resolved,
  { headers, body }: OutwardRequest,
  limitBytes: number,
  signal: AbortSignal,
): Promise<OutwardAnswer> {
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = send(url, {
      method: "POST",
      // No connection is shared: each goes to the address that was looked at for it.
      agent: false,
      signal,
      headers: { "user-agent": "TX", ...headers, "content-length": Buffer.byteLength(body) },
      lookup: (_host, { all }, done) => {
        if (all === true) done(null, [{ ...pinned }]);
        else done(null, pinned.address, pinned.family);
      },
    });
    sent.on("error", reject);
    sent.on("response", (answer) => {
      // Whatever happens to the text, there is an answer.
      sent.off("error", reject).on("error", () => answer.destroy());
      void readText(answer, limitBytes).then((text) => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
      });
    });
    sent.end(body);
  });
}

/** The beginning of a body: what is beyond the limit, or comes late, is not read. */
function readText(answer: IncomingMessage, limitBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let left = limitBytes;
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      answer.destroy();
      resolve(new TextDecoder().decode(Buffer.concat(chunks)));
    };
    const timer = setTimeout(end, TEXT_MS);
    answer.on("data", (chunk: Buffer) => {
      chunks.push(chunk.subarray(0, Math.max(0, left)));
      left -= chunk.byteLength;
      if (left <= 0) end();
    });
    for (const event of ["end", "error", "close"]) answer.once(event, end);
  });
}

import { Agent, request } from "node:http";
import { createRng, type Rng } from "../../src/core/base/rng.js";

/** What was answered at last, after as many attempts as it took. */
export interface Acknowledged {
  readonly kind: Kind;
  /** Null for calls that are known by their client order id alone. */
  readonly key: string | null;
  readonly clientOrderId: string | null;
  readonly accountId: string;
  readonly asked: Readonly<Record<string, unknown>>;
  readonly status: number;
  /** The body as it came. */
  readonly text: string;
  readonly replayed: boolean;
  readonly attempts: number;
  /** Since the start; of the answer. */
  readonly atMs: number;
}

export type Kind = "place" | "cancel" | "close" | "reset";

export interface Writers {
  readonly acknowledged: readonly Acknowledged[];
  /** Attempts that ended without an answer, or with one that says to come again. */
  retries(): number;
  /** Ids of the accounts that are open, by name. */
  readonly accounts: ReadonlyMap<string, string>;
  /** Resolves with the next call that a server acknowledges, whichever unless it is said. */
  answered(port?: number): Promise<void>;
  /** Lets every call that is under way get its answer, and ends. */
  stop(): Promise<void>;
}

export interface WritersOptions {
  readonly ports: readonly number[];
  readonly writers: number;
  readonly accounts: number;
  readonly seed: number;
}

const SYMBOLS = ["BTC-USD", "ETH-USD"];
const CASH = 1_000_000;
const ANSWER_MS = 8_000;
const PAUSE_MS = 25;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly replayed: boolean;
}

interface Call {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly key?: string | null;
  readonly body?: object;
}

/** One attempt; null without an answer. */
function attempt(
  agent: Agent,
  port: number,
  { method, path, key = null, body }: Call,
): Promise<Answer | null> {
  const payload = body === undefined ? "" : JSON.stringify(body);
  const headers = {
    ...(body === undefined
      ? {}
      : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
    ...(key === null ? {} : { "idempotency-key": key }),
  };
  return new Promise((resolve) => {
    const asked = request(
      { host: "127.0.0.1", port, agent, method, path, headers, timeout: ANSWER_MS },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.once("error", () => resolve(null));
        answer.once("aborted", () => resolve(null));
        answer.once("end", () => {
          if (!answer.complete) return resolve(null);
          const text = Buffer.concat(parts).toString("utf8");
          resolve({
            status: answer.statusCode ?? 0,
            text,
            replayed: answer.headers["idempotent-replayed"] === "true",
          });
        });
      },
    );
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve(null));
    asked.end(payload);
  });
}

/** Whether the same call is to be sent again: nobody answered, or nobody could. */
const isUnsettled = (answer: Answer | null): boolean =>
  answer === null || answer.status === 503 || answer.status === 429 || answer.status === 408;

/**
 * Traders who place, cancel, close and reset orders on accounts that they share, each call sent again until there is an
 * answer, to whichever server listens.
 */
export async function startWriters(options: WritersOptions): Promise<Writers> {
  const { ports, writers, seed } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 4 * writers });
  const started = performance.now();
  const acknowledged: Acknowledged[] = [];
  const accounts = new Map<string, string>();
  const listeners = new Set<(port: number) => void>();
  let retries = 0;
  let stopped = false;

  async function settle(call: Call, first: number): Promise<Answer & { attempts: number }> {
    for (let attempts = 1; ; attempts++) {
      const port = ports[(first + attempts) % ports.length];
      const answer = await attempt(agent, port, call);
      if (answer !== null && !isUnsettled(answer)) {
        for (const listener of [...listeners]) listener(port);
        return { ...answer, attempts };
      }
      retries++;
      await sleep(PAUSE_MS);
    }
  }

  async function openAccount(name: string): Promise<void> {
    const body = { name, cash: CASH, leverage: 1 };
    const { status, text } = await settle({ method: "POST", path: "/api/paper-trade/accounts", body }, 0);
    // One that was opened by an attempt without an answer is listed.
    accounts.set(name, status === 201 ? JSON.parse(text).data.id : await findAccount(name, 0));
  }

  async function findAccount(name: string, first: number): Promise<string> {
    const { text } = await settle({ method: "GET", path: "/api/paper-trade/accounts" }, first);
    const { data } = JSON.parse(text) as { data: { id: string; name: string; closed_at: string | null }[] };
    const found = data.find((account) => account.name === name && account.closed_at === null);
    if (found === undefined) throw new Error(`no open account ${name}`);
    return found.id;
  }

  async function write(writer: number): Promise<void> {
    const rng = createRng(seed, writer);
    /** Orders that may still be canceled. */
    const resting: { id: string; accountId: string }[] = [];
    for (let n = 0; !stopped; n++) {
      const name = `Account ${rng.below(options.accounts)}`;
      const accountId = accounts.get(name) ?? "";
      const { call, kind, clientOrderId } = choose(rng, `${seed}-${writer}-${n}`, accountId, resting);
      const first = rng.below(ports.length);
      const { status, text, replayed, attempts } = await settle(call, first);
      const { key = null, body = {} } = call;
      const asked = body as Acknowledged["asked"];
      const at = call.method === "DELETE" ? { path: call.path } : {};
      const done = {
        kind,
        key,
        clientOrderId,
        accountId,
        asked: { ...asked, ...at },
        status,
        text,
        replayed,
        attempts,
      };
      acknowledged.push({ ...done, atMs: performance.now() - started });
      if (kind === "place" && status === 201) {
        const { data } = JSON.parse(text) as { data: { id: string; state: string } };
        if (data.state === "new") resting.push({ id: data.id, accountId });
      }
      // Somebody has put another account in its place.
      if (text.includes('"account_closed"') || kind === "reset")
        accounts.set(name, await findAccount(name, first));
    }
  }

  for (let n = 0; n < options.accounts; n++) await openAccount(`Account ${n}`);
  const working = Array.from({ length: writers }, (_, writer) => write(writer));
  return {
    acknowledged,
    accounts,
    retries: () => retries,
    answered: (port) =>
      new Promise((resolve) => {
        const listener = (from: number) => {
          if (port !== undefined && from !== port) return;
          listeners.delete(listener);
          resolve();
        };
        listeners.add(listener);
      }),
    async stop() {
      stopped = true;
      await Promise.all(working);
      agent.destroy();
    },
  };
}

interface Chosen {
  readonly call: Call;
  readonly kind: Kind;
  readonly clientOrderId: string | null;
}

/** The next thing to do; about one call in five has a client order id and no key. */
function choose(
  rng: Rng,
  name: string,
  accountId: string,
  resting: { id: string; accountId: string }[],
): Chosen {
  const dice = rng.next();
  const symbol = SYMBOLS[rng.below(SYMBOLS.length)];
  const key = `key-${name}`;
  const account_id = accountId;
  if (dice < 0.01) {
    const path = `/api/paper-trade/accounts/${accountId}/reset`;
    return { kind: "reset", clientOrderId: null, call: { method: "POST", path, key, body: { cash: CASH } } };
  }
  if (dice < 0.12) {
    const call: Call = { method: "POST", path: "/api/close-position", key, body: { symbol, account_id } };
    return { kind: "close", clientOrderId: null, call };
  }
  const order = dice < 0.3 ? resting.shift() : undefined;
  if (order !== undefined) {
    const path = `/api/paper-trade/orders/${order.id}?account_id=${order.accountId}`;
    return { kind: "cancel", clientOrderId: null, call: { method: "DELETE", path, key } };
  }
  const clientOrderId = `order-${name}`;
  const body = { symbol, account_id, client_order_id: clientOrderId, ...termsOf(rng) };
  const keyed = rng.next() < 0.8 ? key : null;
  return {
    kind: "place",
    clientOrderId,
    call: { method: "POST", path: "/api/paper-trade/orders", key: keyed, body },
  };
}

/** Bought more often than sold, some of it far from the market, where it rests. */
function termsOf(rng: Rng): object {
  const side = rng.next() < 0.65 ? "buy" : "sell";
  const quantity = (1 + rng.below(500)) / 1_000;
  if (rng.next() < 0.7) return { side, quantity, type: "market", time_in_force: "gtc" };
  return { side: "buy", quantity, type: "limit", limit_price: 100 + rng.below(100), time_in_force: "gtc" };
}

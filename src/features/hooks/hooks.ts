import { randomBytes } from "node:crypto";
import { AppError, type ErrorCode } from "../../platform/errors.js";
import type { Instruments } from "../instruments/instruments.js";
import type { PaperDesk } from "../paper-trades/feature.js";
import { digestOf, readBody, withoutSecret } from "./body.js";
import type { CallStore, HookCall } from "./call-store.js";
import { mayCall } from "./sources.js";
import { type Hook, type HookGoal, type HookStore, type HookTerms, MOST_HOOKS } from "./store.js";

/** A call as it arrives. */
export interface Arrival {
  readonly secret: string;
  readonly body: string;
  readonly contentType: string;
  /** The address it comes from. */
  readonly source: string;
}

/** A hook with the secret that it is called by, which is shown this once. */
export interface NewHook {
  readonly hook: Hook;
  readonly secret: string;
}

/** @throws {AppError} `hook_not_found`, also for another's; `conflict` for a name that is taken and for too many. */
export interface Hooks {
  list(userId: string): Promise<Hook[]>;
  get(userId: string, id: string): Promise<Hook>;
  /** Also throws as `Instruments.resolve` for its symbols, and `account_not_found`. */
  create(userId: string, terms: HookTerms): Promise<NewHook>;
  change(userId: string, id: string, changes: Partial<HookTerms>): Promise<Hook>;
  /** Gives it another secret: the one before stands for nothing from then on. */
  rotate(userId: string, id: string): Promise<NewHook>;
  /** With its calls. */
  delete(userId: string, id: string): Promise<void>;
  /** The newest first. */
  calls(
    userId: string,
    id: string,
    filter: { readonly status: string | null; readonly before: number | null },
    limit: number,
  ): Promise<HookCall[]>;
  call(userId: string, id: string, callId: number): Promise<HookCall>;
  /** The hook of a secret; null for none. */
  identify(secret: string): Promise<Hook | null>;
  /**
   * Keeps a call, to be done in its turn. @param busyMs for how long the hook takes no more; null where it takes some.
   * @returns its number.
   * @throws {AppError} `conflict` for a hook that is switched off, `forbidden` for an address that may not call it, `hook_busy`;
   * all are kept, too.
   */
  receive(hook: Hook, arrival: Arrival, busyMs: number | null): Promise<number>;
}

export interface HookOptions {
  readonly store: HookStore;
  readonly callStore: CallStore;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly paper: Pick<PaperDesk, "accountOf">;
  readonly now: () => number;
  /** Called once there is something to do. */
  readonly trigger: () => void;
}

const CHANGE_ATTEMPTS = 5;
/** Characters of the body of a call beyond the limit of its hook that its log has. */
const KEPT_OF_TOO_MANY = 1_000;
const SECRET = /^hook_[\w-]{43}$/;

export function createHooks({ store, callStore, instruments, paper, now, trigger }: HookOptions): Hooks {
  /** Names of instruments, each once. */
  async function symbolsOf(texts: readonly string[]): Promise<string[]> {
    const symbols = new Set<string>();
    for (const text of texts) symbols.add((await instruments.resolve(text)).symbol);
    return [...symbols];
  }

  /** The account of a hook, where it places orders. */
  async function accountFor(userId: string, { mode, accountId }: HookGoal): Promise<string | null> {
    return mode === "order" ? (await paper.accountOf(userId, accountId ?? undefined)).id : null;
  }

  async function get(userId: string, id: string): Promise<Hook> {
    return there(await store.find(userId, id));
  }

  return {
    list: store.list,
    get,
    async create(userId, terms) {
      const secret = newSecret();
      const symbols = await symbolsOf(terms.symbols);
      const known = { ...terms, symbols, accountId: await accountFor(userId, terms) };
      const made = await store.create(userId, digestOf(secret), known, now());
      if (made === "full") throw new AppError("conflict", `There may be at most ${MOST_HOOKS} hooks`);
      return { hook: free(made, terms.name), secret };
    },
    async change(userId, id, changes) {
      const { symbols, mode, accountId, name = "" } = changes;
      const named = { ...changes, ...(symbols === undefined ? {} : { symbols: await symbolsOf(symbols) }) };
      const isSameGoal = mode === undefined && accountId === undefined;
      // The account depends on two terms: it is found anew where somebody changed one of them meanwhile.
      for (let attempt = 0; attempt < CHANGE_ATTEMPTS; attempt++) {
        const before = await get(userId, id);
        const account = isSameGoal ? {} : { accountId: await accountFor(userId, { ...before, ...changes }) };
        const from = isSameGoal ? null : before;
        const changed = await store.update(userId, id, { ...named, ...account }, from, now());
        if (changed !== null) return free(changed, name);
      }
      throw new AppError("conflict", "The hook was changed by others at the same time; try again");
    },
    async rotate(userId, id) {
      const secret = newSecret();
      return { hook: there(await store.rotate(userId, id, digestOf(secret), now())), secret };
    },
    async delete(userId, id) {
      if (!(await store.delete(userId, id))) throw missing();
    },
    async calls(userId, id, { status, before }, limit) {
      return callStore.list((await get(userId, id)).id, status, before, limit);
    },
    async call(userId, id, callId) {
      const found = await callStore.find((await get(userId, id)).id, callId);
      if (found === null) throw new AppError("hook_not_found", `The hook has no call ${callId}`);
      return found;
    },
    identify: async (secret) => (SECRET.test(secret) ? store.findByDigest(digestOf(secret)) : null),
    async receive(hook, { secret, body: sent, contentType, source }, busyMs) {
      const barred = barOf(hook, source, busyMs);
      const whole = withoutSecret(sent, secret);
      // Whoever calls too often must not fill the log.
      const body = barred?.code === "too_often" ? whole.slice(0, KEPT_OF_TOO_MANY) : whole;
      const kept = { hookId: hook.id, receivedAt: now(), source, contentType, body, digest: digestOf(body) };
      const { code = null, detail = null } = barred ?? {};
      const status = barred === null ? "waiting" : "turned_away";
      const id = await callStore.add({ ...kept, ...readBody(body), status, code, detail });
      if (id === null) throw missing();
      if (barred !== null) throw new AppError(barred.error, barred.detail, barred.options);
      trigger();
      return id;
    },
  };
}

/** Why a call is turned away. */
interface Bar {
  readonly error: ErrorCode;
  readonly code: string;
  readonly detail: string;
  readonly options: { readonly retryAfterS?: number };
}

function barOf({ enabled, sources, perMinute }: Hook, source: string, busyMs: number | null): Bar | null {
  if (!enabled) {
    return { error: "conflict", code: "disabled", detail: "The hook is switched off", options: {} };
  }
  if (!mayCall(source, sources)) {
    const detail = `${source} is no address that may call the hook`;
    return { error: "forbidden", code: "source_refused", detail, options: {} };
  }
  if (busyMs === null) return null;
  const detail = `More than ${perMinute} calls of the hook within a minute`;
  const options = { retryAfterS: Math.ceil(busyMs / 1_000) };
  return { error: "hook_busy", code: "too_often", detail, options };
}

const newSecret = () => `hook_${randomBytes(32).toString("base64url")}`;

function free<T>(made: T | "taken", name: string): T {
  if (made === "taken") throw new AppError("conflict", `There is a hook named ${name}`);
  return made;
}

function there(found: Hook | null): Hook {
  if (found === null) throw missing();
  return found;
}

const missing = () => new AppError("hook_not_found", "There is no such hook");

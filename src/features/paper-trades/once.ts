import type { FastifyReply, FastifyRequest } from "fastify";
import { fingerprintOf, type Idempotency, idempotencyKeyOf, type Reply } from "../../platform/idempotency.js";
import type { OrderNow } from "./placing.js";
import type { AccountRow } from "./store.js";
import type { Sealing } from "./trading.js";

/** One call of a caller who may repeat it. */
export interface Call {
  readonly userId: string;
  readonly operation: string;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Does what is asked for once where the request carries an `Idempotency-Key`, and at each request otherwise. */
export type DoOnce = <R extends Reply>(
  call: Call,
  viewOf: (account: AccountRow, placed: OrderNow) => R,
  work: (sealOf: (account: AccountRow) => Sealing<OrderNow>) => Promise<OrderNow>,
) => Promise<R>;

export function createDoOnce(idempotency: Idempotency): DoOnce {
  return async (call, viewOf, work) => {
    const { userId, operation, request, reply } = call;
    const key = idempotencyKeyOf(request);
    let answer: ReturnType<typeof viewOf> | undefined;
    const answerFor = (account: AccountRow, placed: OrderNow) => {
      answer = viewOf(account, placed);
      return answer;
    };
    const asked = async (keep: (sql: Parameters<Sealing<OrderNow>>[0], given: Reply) => Promise<void>) => {
      await work((account) => async (sql, placed) => keep(sql, answerFor(account, placed)));
      if (answer === undefined) throw new Error(`${operation} was done and nobody kept its answer`);
      return answer;
    };
    if (key === null) return asked(async () => undefined);
    const fingerprint = fingerprintOf(operation, request.body);
    const done = await idempotency.once({ userId, key, fingerprint }, asked);
    if (done.replayed) reply.header("idempotent-replayed", "true");
    return done.reply as ReturnType<typeof viewOf>;
  };
}

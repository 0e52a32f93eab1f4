import type { FastifyReply, FastifyRequest } from "fastify";
import type { Sql } from "../../platform/database.js";
import { fingerprintOf, type Idempotency, idempotencyKeyOf, type Reply } from "../../platform/idempotency.js";
import type { AccountRow } from "./store.js";
import type { Sealing } from "./trading.js";

/** One call of a caller who may repeat it. */
export interface Call {
  readonly userId: string;
  /** The route, and what its address names. */
  readonly operation: string;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Does what is asked for once where the request carries an `Idempotency-Key`, and at each request otherwise. */
export type DoOnce = <T, R extends Reply>(
  call: Call,
  viewOf: (account: AccountRow, result: T) => R,
  work: (sealOf: (account: AccountRow) => Sealing<T>) => Promise<T>,
) => Promise<R>;

export function createDoOnce(idempotency: Idempotency): DoOnce {
  return async <T, R extends Reply>(
    { userId, operation, request, reply }: Call,
    viewOf: (account: AccountRow, result: T) => R,
    work: (sealOf: (account: AccountRow) => Sealing<T>) => Promise<T>,
  ): Promise<R> => {
    const key = idempotencyKeyOf(request);
    let answer: R | undefined;
    const asked = async (keep: (sql: Sql, given: Reply) => Promise<void>): Promise<R> => {
      await work((account) => async (sql, result) => {
        answer = viewOf(account, result);
        await keep(sql, answer);
      });
      if (answer === undefined) throw new Error(`${operation} was done and nobody kept its answer`);
      return answer;
    };
    if (key === null) return asked(async () => undefined);
    const fingerprint = fingerprintOf(operation, request.body);
    const replay = () => void reply.header("idempotent-replayed", "true");
    return (await idempotency.once({ userId, key, fingerprint }, asked, replay)) as R;
  };
}

import type { FastifyReply, FastifyRequest } from "fastify";
import { ensure } from "../../core/base/assert.js";
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

/** Says of which account an answer is. @returns what keeps it within the work's transaction; undefined where nothing does. */
export type SealOf<T> = (account: AccountRow) => Sealing<T> | undefined;

/** Does what is asked for once where the request carries an `Idempotency-Key`, and at each request otherwise. */
export type DoOnce = <T, R extends Reply>(
  call: Call,
  viewOf: (account: AccountRow, result: T) => R,
  work: (sealOf: SealOf<T>) => Promise<T>,
) => Promise<R>;

export function createDoOnce(idempotency: Idempotency): DoOnce {
  return async <T, R extends Reply>(
    { userId, operation, request, reply }: Call,
    viewOf: (account: AccountRow, result: T) => R,
    work: (sealOf: SealOf<T>) => Promise<T>,
  ): Promise<R> => {
    const key = idempotencyKeyOf(request);
    if (key === null) {
      let own: AccountRow | undefined;
      const result = await work((account) => {
        own = account;
        return undefined;
      });
      return viewOf(ensure(own, `the account of ${operation}`), result);
    }
    let answer: R | undefined;
    const asked = async (keep: (sql: Sql, given: Reply) => Promise<void>): Promise<R> => {
      await work((account) => async (sql, result) => {
        answer = viewOf(account, result);
        await keep(sql, answer);
      });
      if (answer === undefined) throw new Error(`${operation} was done and nobody kept its answer`);
      return answer;
    };
    const fingerprint = fingerprintOf(operation, request.body);
    const replay = () => void reply.header("idempotent-replayed", "true");
    return (await idempotency.once({ userId, key, fingerprint }, asked, replay)) as R;
  };
}

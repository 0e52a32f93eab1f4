import type { OrderNow } from "./placing.js";
import type { AccountRow } from "./store.js";
import type { OrderRequest, Trading } from "./trading.js";

/** Thrown in place of a commit. */
class Rehearsed extends Error {
  override readonly name = "Rehearsed";
  readonly placed: OrderNow;
  constructor(placed: OrderNow) {
    super("an order was tried and taken back");
    this.placed = placed;
  }
}

/**
 * What an order would come to if it were placed now: it is placed, met by the price of now, and taken back before anything
 * of it is written. @throws {AppError} as `Trading.submit`.
 */
export async function rehearse(
  trading: Pick<Trading, "submit">,
  row: AccountRow,
  request: OrderRequest,
): Promise<OrderNow> {
  try {
    return await trading.submit(row, request, async (_sql, placed) => {
      throw new Rehearsed(placed);
    });
  } catch (error) {
    if (error instanceof Rehearsed) return error.placed;
    throw error;
  }
}

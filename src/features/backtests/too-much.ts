import { TOO_MUCH_MONEY } from "../../core/execution/money.js";
import { AppError } from "../../platform/errors.js";
import type { Workers } from "../../platform/workers.js";

const REASON =
  "body initial_capital: somewhere in the run, or in one drawn from it, money comes to more than the 9,000,000,000 up to which it is counted exactly; with less to begin with returns are the same";

/** Threads whose backtests end with an error of the order where money comes to more than is counted. */
export function tellingTooMuch(workers: Workers): Workers {
  return {
    ...workers,
    async run(kind, input, options) {
      try {
        return await workers.run(kind, input, options);
      } catch (error) {
        if (error instanceof RangeError && error.message === TOO_MUCH_MONEY) {
          throw new AppError("invalid_request", REASON, { cause: error });
        }
        throw error;
      }
    },
  };
}

import { AppError } from "../../platform/errors.js";
import { type Provider, ProviderError } from "../../providers/define.js";
import type { ActionSource } from "./actions.js";

const TIMEOUT_MS = 5_000;

/** Whoever of the configured sources tells of actions: the gateway when it can ask them, else the first itself. */
export function actionSourceOf(
  gateway: { readonly providers: readonly Provider[] } & Partial<ActionSource>,
): ActionSource | null {
  const teller = gateway.providers.find(({ fetchActions }) => fetchActions !== undefined);
  if (teller?.fetchActions === undefined) return null;
  const { fetchActions } = gateway;
  if (fetchActions !== undefined) return { fetchActions };
  return {
    async fetchActions(instrument, fromDay, toDay) {
      try {
        const signal = AbortSignal.timeout(TIMEOUT_MS);
        const value = await teller.fetchActions?.(instrument, fromDay, toDay, signal);
        return { value: value ?? [], source: teller.name };
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        throw new AppError("provider_unavailable", `${teller.name}: ${error.message}`, { cause: error });
      }
    },
  };
}

import { type AgentDecision, decideAction } from "../../core/learning/agent/policy.js";
import {
  type RequestedState,
  type RequestScale,
  type StateRequest,
  scaleOf,
  stateOfRequest,
} from "../../core/learning/agent/request.js";
import type { Interval } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import type { CandleService } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import type { OpenModel } from "./artefact.js";
import type { Registry } from "./registry.js";
import { deepPurpose } from "./store.js";
import { capitalised, unreadableOf } from "./unreadable.js";

/** What the agent that serves would do, and of which inputs nothing was known. */
export interface AgentAnswer extends AgentDecision, Pick<RequestedState, "assumed"> {
  readonly version: string;
}

/** Where the bars are found that figures are measured by: given, or those of a symbol. */
export interface AgentBars {
  readonly symbol: string;
  readonly interval: Interval;
}

export interface AgentDesk {
  /**
   * @param scale what the figures are measured by. @param bars what is not given is taken from the newest closed ones.
   * @throws {AppError} `no_model` while no agent serves, `model_refused` where that is since the active one cannot be read; as symbols and candles do.
   */
  decide(state: StateRequest, scale: RequestScale, bars: AgentBars | null): Promise<AgentAnswer>;
}

const PURPOSE = deepPurpose("q_agent");
/** Bars that indicators of the state come out of as over all before them. */
const BARS = 300;

export function createAgentDesk(
  registry: Pick<Registry<OpenModel>, "serving" | "refused">,
  {
    instruments,
    candles,
  }: {
    readonly instruments: Pick<Instruments, "resolve">;
    readonly candles: Pick<CandleService, "loadLatest">;
  },
): AgentDesk {
  async function measure({ symbol, interval }: AgentBars): Promise<RequestScale> {
    const instrument = await instruments.resolve(symbol);
    return scaleOf((await candles.loadLatest(instrument, interval, BARS)).candles);
  }

  return {
    async decide(state, scale, bars) {
      const open = registry.serving(PURPOSE);
      if (open === null || open.opened.learner !== "q_agent") {
        const unreadable = unreadableOf(registry.refused(), PURPOSE);
        if (unreadable !== null) throw new AppError("model_refused", capitalised(unreadable));
        throw new AppError("no_model", "No agent has been promoted: POST /api/jobs/train-deep trains one");
      }
      const { inputs, position, assumed } = stateOfRequest(state, {
        ...(bars === null ? {} : await measure(bars)),
        ...scale,
      });
      return {
        ...decideAction(open.opened.model, inputs, position),
        assumed,
        version: open.version.version,
      };
    },
  };
}

import { type AgentDecision, decideAction } from "../../core/learning/agent/policy.js";
import { type RequestedState, type StateRequest, stateOfRequest } from "../../core/learning/agent/request.js";
import { AppError } from "../../platform/errors.js";
import type { OpenModel } from "./artefact.js";
import type { Registry } from "./registry.js";
import { deepPurpose } from "./store.js";

/** What the agent that serves would do, and of which inputs nothing was known. */
export interface AgentAnswer extends AgentDecision, Pick<RequestedState, "assumed"> {
  readonly version: string;
}

export interface AgentDesk {
  /** @throws {AppError} `no_model` while no agent serves. */
  decide(state: StateRequest): AgentAnswer;
}

export function createAgentDesk(registry: Pick<Registry<OpenModel>, "serving">): AgentDesk {
  return {
    decide(state) {
      const open = registry.serving(deepPurpose("q_agent"));
      if (open === null || open.opened.learner !== "q_agent") {
        throw new AppError("no_model", "No agent has been promoted: POST /api/jobs/train-deep trains one");
      }
      const { inputs, position, assumed } = stateOfRequest(state);
      return {
        ...decideAction(open.opened.model, inputs, position),
        assumed,
        version: open.version.version,
      };
    },
  };
}

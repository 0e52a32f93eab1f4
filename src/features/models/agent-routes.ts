import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { StateRequest } from "../../core/learning/agent/request.js";
import { ACTIONS } from "../../core/learning/agent/simulator.js";
import { routeGroup } from "../../platform/http.js";
import type { AgentDesk } from "./agent.js";

const figure = z.number().optional();
const state = z.strictObject({
  price: z.number().positive(),
  volume: z.number().nonnegative(),
  rsi: z.number().min(0).max(100).optional().describe("50, which says nothing, without it"),
  macd: figure.describe("In the currency of the price"),
  bb_position: figure.describe("0 lower band, 1 upper; 0.5, which says nothing, without it"),
  sentiment: z.number().min(-1).max(1).optional(),
  position: figure.describe("Below 0 short, above 0 long; flat without it"),
  pnl: figure.describe("Of one unit since its fill, in the currency of the price"),
  time_in_position: z.number().nonnegative().optional().describe("Bars"),
});
const body = z.union([state, z.strictObject({ state })]);

const answer = {
  result: z.object({
    action: z.enum(ACTIONS),
    confidence: z.number().describe("How clearly the action is preferred, 0..1; no hit rate"),
    q_values: z
      .record(z.enum(ACTIONS), z.number())
      .describe("Expected discounted logarithm of growth after costs, of valid and other actions"),
    valid_actions: z.array(z.enum(ACTIONS)),
  }),
  assumed: z
    .array(z.object({ column: z.string(), reason: z.string() }))
    .describe("Inputs of which nothing is known, each with the reason; they say nothing"),
  model_version: z.string(),
};

/** What the agent would do. */
export function agentRoutes(app: FastifyInstance, { agentDesk }: { agentDesk: AgentDesk }): void {
  const routes = routeGroup(app, { tag: "Models", access: "viewer", perMinute: 60 });
  routes.post("/api/ml/rl-action", {
    id: "decideAction",
    summary: "What the trained agent would do in a state",
    description:
      "A price, a volume, a MACD or a profit alone has no scale, so that it tells the agent nothing: `assumed` names such inputs.",
    body,
    answer,
    errors: ["no_model"],
    async handle({ body: asked }) {
      const { action, confidence, qValues, valid, assumed, version } = agentDesk.decide(told(asked));
      return {
        result: { action, confidence, q_values: { ...qValues }, valid_actions: [...valid] },
        assumed: assumed.map((each) => ({ ...each })),
        model_version: version,
      };
    },
  });
}

/** The state without what was left out. */
function told(asked: z.output<typeof body>): StateRequest {
  const figures = "state" in asked ? asked.state : asked;
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
}

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { RequestScale, StateRequest } from "../../core/learning/agent/request.js";
import { ACTIONS } from "../../core/learning/agent/simulator.js";
import { routeGroup } from "../../platform/http.js";
import { intervalText, symbolText } from "../candles/schema.js";
import type { AgentDesk } from "./agent.js";

const figure = z.number().optional();
const state = z.strictObject({
  price: z.number().positive().optional().describe("Needed without a symbol"),
  volume: z.number().nonnegative().optional().describe("Needed without a symbol"),
  mean_close: z.number().positive().optional().describe("Of 20 bars: what a price is measured by"),
  mean_volume: z.number().positive().optional().describe("Of 20 bars: what a volume is measured by"),
  atr: z
    .number()
    .positive()
    .optional()
    .describe("Average true range of 14 bars: what price, MACD and profit are measured by"),
  symbol: symbolText.optional().describe("What is not given is taken from its newest closed bars"),
  timeframe: intervalText.optional().describe("Of those bars; 1d without it"),
  rsi: z.number().min(0).max(100).optional().describe("50, which says nothing, without it"),
  macd: figure.describe("In the currency of the price"),
  bb_position: figure.describe("0 lower band, 1 upper; 0.5, which says nothing, without it"),
  sentiment: z.number().min(-1).max(1).optional(),
  position: figure.describe("Below 0 short, above 0 long; flat without it"),
  pnl: figure.describe("Of one unit since its fill, in the currency of the price"),
  time_in_position: z.number().nonnegative().optional().describe("Bars"),
});
const told = state.refine(
  ({ symbol, price, volume }) => symbol !== undefined || (price !== undefined && volume !== undefined),
  { message: "a price and a volume, or a symbol", path: ["price"] },
);
const body = z.union([told, z.strictObject({ state: told })]);

/** The agent learns on markets whose drift was planted so that there is something to gain. */
const EXPECTED =
  "discounted logarithm of growth after costs that the agent learned to expect on the markets it was trained on, simulated ones with a drift to be found among them; no forecast of this market";

const answer = {
  result: z.object({
    action: z.enum(ACTIONS),
    confidence: z.number().describe("How clearly the action is preferred, 0..1; no hit rate"),
    q_values: z
      .record(z.enum(ACTIONS), z.number())
      .describe("By action, of valid and other ones; whose expectation it is, says q_values_of"),
    q_values_of: z.string().describe("Whose expectation q_values are, and of what"),
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
      "A price, a volume, a MACD or a profit alone has no scale: means and average true range give it one, or the bars of a " +
      "symbol do, which tell moves and volatility, too. `assumed` names inputs of which nothing is known. `q_values` are what the agent " +
      "learned to expect in training, on simulated markets among others: above 0 for HOLD while flat means that it expects to trade later on as it did there.",
    body,
    answer: { data: z.object(answer), ...answer },
    errors: [
      "no_model",
      "model_refused",
      "symbol_invalid",
      "symbol_unknown",
      "interval_unavailable",
      "no_data",
      "provider_unavailable",
    ],
    async handle({ body: asked }) {
      const { state, scale, bars } = partsOf("state" in asked ? asked.state : asked);
      const { action, confidence, qValues, valid, assumed, version } = await agentDesk.decide(
        state,
        scale,
        bars,
      );
      const view = {
        result: {
          action,
          confidence,
          q_values: { ...qValues },
          q_values_of: EXPECTED,
          valid_actions: [...valid],
        },
        assumed: assumed.map((each) => ({ ...each })),
        model_version: version,
      };
      return { data: view, ...view };
    },
  });
}

/** The figures, without what was left out, what they are measured by, and whose bars tell the rest. */
function partsOf({
  symbol,
  timeframe = "1d",
  mean_close,
  mean_volume,
  atr,
  ...figures
}: z.output<typeof state>) {
  return {
    state: given(figures) as StateRequest,
    scale: given({ meanPrice: mean_close, meanVolume: mean_volume, range: atr }) as RequestScale,
    bars: symbol === undefined ? null : { symbol, interval: timeframe },
  };
}

const given = (values: Readonly<Record<string, number | undefined>>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

import { evaluateAgent } from "../src/core/learning/agent/evaluate.js";
import { trainAgent } from "../src/core/learning/agent/learner.js";
import { PLANTED_TERMS, plantedMarket } from "../src/core/learning/agent/planted.js";
import { decideAction } from "../src/core/learning/agent/policy.js";
import { stateOfRequest } from "../src/core/learning/agent/request.js";
import { AGENT_WARMUP, marketOf } from "../src/core/learning/agent/state.js";
import { cutStretches } from "../src/core/learning/agent/stretch.js";
import { decodeAgent, encodeAgent } from "../src/core/learning/agent/weights.js";
import { createPass } from "../src/core/learning/dense.js";
import { type Bench, timeCases } from "./time.js";

const SERIES = 8;
const BARS = 2_500;
const STEPS = 2_000;
const DECISIONS = 1_000;
const EVALUATED = 500;

export const bench: Bench = {
  name: "Learning: the agent",
  run() {
    const marketAt = (seed: number, bars: number) => plantedMarket({ ...PLANTED_TERMS, bars, seed });
    const series = Array.from({ length: SERIES }, (_, k) => marketOf(marketAt(k, BARS)));
    const started = process.hrtime.bigint();
    const { agent } = trainAgent({ seed: 1, series, steps: STEPS });
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const unseen = marketAt(SERIES, AGENT_WARMUP + EVALUATED + 1);
    const stretches = cutStretches(marketOf(unseen), EVALUATED);
    const pass = createPass(agent.net.sizes);
    const request = { price: 100, volume: 1_000, rsi: 61, macd: 0.4, bb_position: 0.8, sentiment: 0.1 };
    const text = JSON.stringify(encodeAgent(agent));
    const cases = [
      {
        name: "one decision from the figures of a request",
        items: DECISIONS,
        run: () => {
          for (let k = 0; k < DECISIONS; k++) {
            const { inputs, position } = stateOfRequest({ ...request, rsi: k % 100 });
            decideAction(agent, inputs, position, true, pass);
          }
        },
      },
      { name: "columns of a state, a bar", items: unseen.time.length, run: () => void marketOf(unseen) },
      {
        name: "evaluation beside three policies, a bar",
        items: EVALUATED,
        run: () => void evaluateAgent(agent, stretches, 1),
      },
      { name: "reading weights", items: 1, run: () => void decodeAgent(JSON.parse(text)) },
    ];
    return [
      {
        title: `The agent, ${agent.net.sizes.join("-")}, warm`,
        notes: [`Trained on ${SERIES} planted markets of ${BARS} bars.`],
        figures: [
          {
            name: `training, ${STEPS} steps and the choice of a margin`,
            value: STEPS / seconds,
            unit: "steps/s",
          },
          ...timeCases(cases, 50).map(({ name, minNs }) => ({ name, value: minNs / 1e3, unit: "us" })),
        ],
      },
    ];
  },
};

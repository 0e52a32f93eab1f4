import { beforeAll, describe, expect, it } from "vitest";
import { deviationOf, meanOf } from "../../src/core/base/stats.js";
import type { AgentReport } from "../../src/core/learning/agent/evaluate.js";
import type { TrainedAgent } from "../../src/core/learning/agent/learner.js";
import { PLANTED_TERMS } from "../../src/core/learning/agent/planted.js";
import { chooseAction, type Policy } from "../../src/core/learning/agent/policy.js";
import { AGENT_TERMS } from "../../src/core/learning/agent/simulator.js";
import { hideBars, writeState } from "../../src/core/learning/agent/state.js";
import { runStretch } from "../../src/core/learning/agent/stretch.js";
import { createPass, forwardDense } from "../../src/core/learning/dense.js";
import { filterPolicy, trainOn, unseenReport, unseenStretches } from "../fixtures/agent-markets.js";
import { sized } from "../fixtures/sizes.js";

const { drift } = PLANTED_TERMS;

// Of eight seeds (1 to 8) the mean logarithm of growth in 500 bars was 0.69 to 0.87 for the agent, -0.20 to 0.10 for
// holding and -0.14 to -0.01 for trading at random; ahead of holding by 0.68 to 1.04, of random by 0.70 to 0.94.
describe.each(sized({ usual: [1], full: [1, 2, 3] }))(
  "an agent that was trained on planted regimes with seed %i",
  (seed) => {
    let trained: TrainedAgent;
    let report: AgentReport;
    beforeAll(() => {
      trained = trainOn(seed, drift);
      report = unseenReport(trained.agent, seed, drift);
    });

    it("is ahead of holding, trading at random and not trading on unseen markets, after costs", () => {
      const { policies, ahead } = report;
      for (const { low } of [ahead.hold, ahead.random, ahead.flat]) expect(low).toBeGreaterThan(0.3);
      expect(policies.agent.sharpe.low).toBeGreaterThan(0.1);
      expect(trained.agent.margin).not.toBeNull();
      expect(trained.heldOut.stretches).toBe(16);
    });

    it("goes both ways, each for a good part of the time", () => {
      const { policies } = report;
      expect(policies.agent.long.low).toBeGreaterThan(0.2);
      expect(policies.agent.short.low).toBeGreaterThan(0.2);
      expect(policies.agent.turnover.high).toBeLessThan(0.2);
    });

    it("gains most of what a filter gains that is told how regimes change, and not more than there is", () => {
      const filtered = unseenStretches(seed, drift).map(
        (stretch) => runStretch(stretch, filterPolicy(stretch.market), AGENT_TERMS).total,
      );
      const share = (report.policies.agent.logReturn.value ?? Number.NaN) / meanOf(filtered);
      expect(share).toBeGreaterThan(0.75);
      expect(share).toBeLessThan(1.15);
    });

    // After 6,000 steps with seeds 1 to 3 0.67 to 0.89 were left of 0.85 to 0.92; of agents from which nothing was hidden
    // in training -0.02 to 0.07.
    it("gains where all that is known only with bars is hidden, as it is from one who tells figures of a chart", () => {
      const { agent } = trained;
      const pass = createPass(agent.net.sizes);
      const told: Policy = (market, i, holding) => {
        writeState(market, i, holding, pass.values[0]);
        hideBars(pass.values[0]);
        return chooseAction(agent, forwardDense(agent.net, pass), holding.position, true);
      };
      const totals = unseenStretches(seed, drift).map(
        (stretch) => runStretch(stretch, told, AGENT_TERMS).total,
      );
      const error = deviationOf(totals) / Math.sqrt(totals.length);
      expect(meanOf(totals) - 2 * error).toBeGreaterThan(0);
    });
  },
);

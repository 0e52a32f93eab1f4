import type { FastifyInstance } from "fastify";
import { leadOf } from "../../core/rules/evaluate.js";
import { printRule } from "../../core/rules/print.js";
import { routeGroup } from "../../platform/http.js";
import { CANDLE_ERRORS } from "../candles/schema.js";
import { readCondition } from "./language.js";
import { parseBody, parsedSchema, testBody, testedSchema, vocabularySchema } from "./schema.js";
import { testedView } from "./test-views.js";
import type { RuleTesting } from "./testing.js";
import { vocabularyView } from "./vocabulary.js";

/** Reading of histories from sources included. */
const TEST_WITHIN_MS = 12_000;

export function ruleLanguageRoutes(app: FastifyInstance, { testing }: { testing: RuleTesting }): void {
  const routes = routeGroup(app, { tag: "Rules", access: "viewer", perMinute: 60 });

  routes.get("/api/rules/vocabulary", {
    id: "getRuleVocabulary",
    summary: "All that a rule can be made of: conditions, operands, indicators with parameters, patterns",
    answer: { data: vocabularySchema },
    handle: () => ({ data: vocabularyView() }),
  });
  routes.post("/api/rules/parse", {
    id: "parseRule",
    summary: "The JSON form of an expression, and the expression of a JSON form",
    description:
      "What cannot be read is answered with 400: each problem names its character in the expression and what could stand " +
      "there, or its path in the JSON form.",
    body: parseBody,
    answer: { data: parsedSchema },
    handle({ body }) {
      const condition = readCondition(body.when, "when");
      const data = { expression: printRule(condition), condition: { ...condition } };
      return { data: { ...data, lead_bars: leadOf(condition, "1d") } };
    },
  });
  routes.post("/api/rules/test", {
    id: "testRule",
    summary: "How often a rule would have fired over the newest bars of some symbols, and what followed",
    description:
      "By closed bars, from the same conditions and triggers as rules that are kept. What is known beside bars, and measured hit " +
      "rates, are those of now and unknown in the past.",
    perMinute: 20,
    body: testBody,
    answer: { data: testedSchema },
    errors: CANDLE_ERRORS,
    answerWithinMs: TEST_WITHIN_MS,
    async handle({ body }) {
      const when = readCondition(body.when, "when");
      const { symbols, interval, bars, frequency, cooldown_s, quiet_hours, digest } = body;
      const rearm = body.rearm === null ? null : readCondition(body.rearm, "rearm");
      const terms = { frequency, cooldownS: cooldown_s, expiresAt: null, quiet: quiet_hours, digest };
      const tests = await testing.test({
        when,
        rearm,
        terms,
        symbols: [...new Set(symbols)],
        interval,
        bars,
      });
      return { data: testedView(when, interval, tests) };
    },
  });
}

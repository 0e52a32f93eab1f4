import { defineStrategy } from "./define.js";
import { factOf } from "./facts.js";
import { choice, number } from "./parameters.js";

export const modelScore = defineStrategy({
  id: "model_score",
  title: "Model Score",
  description:
    "Is long while the score of the active model is high, short while it is low, and leaves where it is back between.",
  needs: ["model"],
  facts: ["model_score"],
  parameters: {
    high: number(0.65, [0.5, 1, 0.01], "score from which it is long"),
    low: number(0.35, [0, 0.5, 0.01], "score up to which it is short"),
    exit: number(0.5, [0, 1, 0.01], "score below which it is long no more, and above which short no more"),
    side: choice(["long", "both"], "long", "long alone, or both ways"),
  },
  constraints: [
    {
      text: "low, exit and high must ascend",
      holds: ({ low, exit, high }) => low < high && low <= exit && exit <= high,
    },
  ],
  warmup: () => 0,
  declare: (_, { high, low, exit, side }, facts) => ({
    score: factOf(facts, "model_score"),
    high,
    low,
    exit,
    isShort: side === "both",
  }),
  walk(stand) {
    const { held } = stand;
    const { score, high, low, exit, isShort } = stand.columns;
    const now = score[stand.i];
    if (now >= high) stand.enter(1, { why: "a high score" });
    else if (now <= low && isShort) stand.enter(-1, { why: "a low score" });
    else if ((held > 0 && now < exit) || (held < 0 && now > exit)) stand.exit("the score is back");
  },
});

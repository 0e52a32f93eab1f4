import { defineVolumeIndex } from "./volume-index.js";

export const pvi = defineVolumeIndex(
  {
    name: "pvi",
    title: "Positive Volume Index",
    source: "P. Dysart, N. Fosback: 1000 at the first bar, follows the close at bars whose volume rose.",
  },
  1,
);

import { defineVolumeIndex } from "./volume-index.js";

export const nvi = defineVolumeIndex(
  {
    name: "nvi",
    title: "Negative Volume Index",
    source: "P. Dysart, N. Fosback: 1000 at the first bar, follows the close at bars whose volume fell.",
  },
  -1,
);

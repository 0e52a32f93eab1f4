import { barsParameter, numberParameter } from "../define.js";
import { defineKernelEstimate } from "./kernel-estimate.js";

export const nadarayaWatson = defineKernelEstimate(
  {
    name: "nadaraya_watson",
    title: "Nadaraya-Watson Estimate",
    parameters: [
      barsParameter("period", 50, "bars of the window"),
      numberParameter("bandwidth", 8, [0.1, 1_000], "bars at which a weight has fallen to 0.61"),
    ],
    source:
      "E. Nadaraya, G. Watson (1964) with a Gaussian kernel over the bar and those before it only, so that it never repaints.",
  },
  (age, { bandwidth }) => Math.exp(-(age * age) / (2 * bandwidth * bandwidth)),
);

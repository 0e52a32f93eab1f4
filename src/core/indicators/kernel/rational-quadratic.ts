import { barsParameter, numberParameter } from "../define.js";
import { defineKernelEstimate } from "./kernel-estimate.js";

/** The kernel (1 + age^2 / (2 w b^2))^-w: weight of a bar by its age, 0 for the newest. */
export function rationalQuadraticWeight(age: number, bandwidth: number, weighting: number): number {
  return (1 + (age * age) / (2 * weighting * bandwidth * bandwidth)) ** -weighting;
}

export const rationalQuadratic = defineKernelEstimate(
  {
    name: "rational_quadratic",
    title: "Rational Quadratic Estimate",
    parameters: [
      barsParameter("period", 50, "bars of the window"),
      numberParameter("bandwidth", 8, [0.1, 1_000], "bars over which the weights fall"),
      numberParameter("weighting", 8, [0.01, 1_000], "the larger, the nearer to a Gaussian kernel"),
    ],
    source:
      "E. Nadaraya, G. Watson (1964) with the kernel (1 + age^2 / (2 w b^2))^-w over the bar and those before it only, so that it never repaints.",
  },
  (age, { bandwidth, weighting }) => rationalQuadraticWeight(age, bandwidth, weighting),
);

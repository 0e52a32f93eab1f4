import { defineLine } from "./line.js";

export const linregSlope = defineLine(
  {
    name: "linreg_slope",
    title: "Linear Regression Slope",
    source: "TA-Lib LINEARREG_SLOPE: price per bar of the least-squares line through the closes.",
  },
  "slope",
);

import { describeTroubles } from "../fixtures/troubled-program.js";
import { KEY } from "../fixtures/vendor-answers.js";
import { UPSTOX } from "../fixtures/vendor-rows/upstox.js";

describeTroubles({
  row: UPSTOX,
  environment: (url) => ({ UPSTOX_ACCESS_TOKEN: KEY, UPSTOX_BASE_URL: url }),
  symbols: ["RELIANCE.NS", "TCS.NS"],
  strangers: ["INFY.NS", "ITC.NS", "LT.NS"],
  besides: ({ pathname }) =>
    pathname.startsWith("/v2/option/") ? { body: { status: "success", data: [] } } : null,
  faults: [
    "silence",
    "429 for two minutes",
    "no valid token in 200",
    "a page",
    "too many requests in 200",
    "another word for well",
  ],
  named: ["INE002A01018", "INE467B01029"],
  // The exchange has closed.
  live: false,
});

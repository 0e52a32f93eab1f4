import { describeTroubles } from "../fixtures/troubled-program.js";
import { YAHOO } from "../fixtures/vendor-rows/yahoo.js";
import { yahooAt } from "../fixtures/yahoo.js";

describeTroubles({
  row: YAHOO,
  environment: yahooAt,
  symbols: ["AAPL", "MSFT"],
  strangers: ["KO", "PEP", "MCD"],
  besides: ({ pathname }) => (pathname.endsWith("/search") ? { body: { quotes: [] } } : null),
  faults: [
    "silence",
    "429 for two minutes",
    "401 with Invalid A",
    "502 with <!DOCTYPE",
    "a page",
    "half an answer",
    "a reset",
    "an error in 200",
  ],
  named: null,
  live: true,
});

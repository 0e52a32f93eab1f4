import { describeTroubles } from "../fixtures/troubled-program.js";
import { KEY } from "../fixtures/vendor-answers.js";
import { FINNHUB } from "../fixtures/vendor-rows/finnhub.js";

describeTroubles({
  row: FINNHUB,
  environment: (url) => ({ FINNHUB_API_KEY: KEY, FINNHUB_BASE_URL: url, FINNHUB_CALLS_PER_MINUTE: "0" }),
  symbols: ["AAPL", "MSFT"],
  strangers: ["KO", "PEP", "MCD"],
  besides({ pathname }) {
    if (pathname === "/api/v1/search") return { body: { count: 0, result: [] } };
    return pathname.endsWith("news") ? { body: [] } : null;
  },
  faults: ["silence", "429 for two minutes", "the key in words", "a page", "an error in 200"],
  named: null,
  live: true,
});

import { describeTroubles } from "../fixtures/troubled-program.js";
import { KEY } from "../fixtures/vendor-answers.js";
import { ALPHAVANTAGE } from "../fixtures/vendor-rows/alphavantage.js";

describeTroubles({
  row: ALPHAVANTAGE,
  environment: (url) => ({
    ALPHAVANTAGE_API_KEY: KEY,
    ALPHAVANTAGE_BASE_URL: url,
    ALPHAVANTAGE_CALLS_PER_MINUTE: "0",
    ALPHAVANTAGE_CALLS_PER_DAY: "0",
    ALPHAVANTAGE_PREMIUM: "true",
    ALPHAVANTAGE_DELAY_MINUTES: "0",
  }),
  symbols: ["AAPL", "MSFT"],
  strangers: ["KO", "PEP", "MCD"],
  besides({ searchParams }) {
    const asked = searchParams.get("function");
    if (asked === "SYMBOL_SEARCH") return { body: { bestMatches: [] } };
    return asked === "NEWS_SENTIMENT" ? { body: { items: "0", feed: [] } } : null;
  },
  faults: ["silence", "429 for two minutes", "no key", "a page", "the key in words"],
  named: ['"AAPL"', '"MSFT"'],
  // It tells of closes alone.
  live: false,
});

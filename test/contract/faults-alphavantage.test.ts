import { describeFaults } from "../fixtures/fault-trials.js";
import { ALPHAVANTAGE } from "../fixtures/vendor-rows/alphavantage.js";

describeFaults(ALPHAVANTAGE);

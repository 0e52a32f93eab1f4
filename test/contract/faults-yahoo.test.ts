import { describeFaults } from "../fixtures/fault-trials.js";
import { YAHOO } from "../fixtures/vendor-rows/yahoo.js";

describeFaults(YAHOO);

import { describeFaults } from "../fixtures/fault-trials.js";
import { POLYGON } from "../fixtures/vendor-rows/polygon.js";

describeFaults(POLYGON);

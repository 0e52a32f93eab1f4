/** Books that define the shapes of this family. */
export const BULKOWSKI = "T. Bulkowski, Encyclopedia of Chart Patterns (3rd ed., 2021)";
export const EDWARDS_MAGEE = "R. Edwards and J. Magee, Technical Analysis of Stock Trends (9th ed., 2007)";
export const BOTH_BOOKS = `${BULKOWSKI}; ${EDWARDS_MAGEE}`;

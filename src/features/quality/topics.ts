/** Topic of the event log: what was found in data, as it is found. */
export const QUALITY_TOPIC = "quality";

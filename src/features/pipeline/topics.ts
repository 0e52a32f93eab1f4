/** Topics of the event log and of notices that the pipeline tells. */
export const BAR_TOPIC = "bars";
export const SYNERGY_TOPIC = "synergy";
export const DECISION_TOPIC = "decisions";

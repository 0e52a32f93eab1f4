/** Topics of the event log that loops and the stream both speak of. */
export const ALERT_TOPIC = "alerts";
export const SCAN_TOPIC = "scan";

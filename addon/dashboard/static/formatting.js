/** Numbers and times as people read them; null is always said as such, never as 0. */

const LOCALE = "en-US";
const WHOLE = new Intl.NumberFormat(LOCALE);
const COMPACT = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumFractionDigits: 1 });
const CLOCK = new Intl.DateTimeFormat(LOCALE, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const DAY = new Intl.DateTimeFormat(LOCALE, { month: "short", day: "numeric" });
const HOUR = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export const NOTHING = "–";

/** @param {number | null | undefined} value */
export function whole(value) {
  return value == null ? NOTHING : WHOLE.format(Math.round(value));
}

/** @param {number | null | undefined} value */
export function compact(value) {
  return value == null ? NOTHING : COMPACT.format(value);
}

/**
 * US dollars, with as many digits as tell something.
 * @param {number | null | undefined} value
 * @param {string} [unknown]
 */
export function dollars(value, unknown = "unknown") {
  if (value == null) return unknown;
  if (value === 0) return "$0";
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 0.1 ? 2 : size >= 0.01 ? 3 : size >= 0.0001 ? 4 : 6;
  return `$${value.toLocaleString(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** Dollars as they stand at an axis. @param {number} value */
export function roundDollars(value) {
  return `$${value.toLocaleString(LOCALE, { maximumSignificantDigits: 3 })}`;
}

/** @param {number | null | undefined} milliseconds */
export function duration(milliseconds) {
  if (milliseconds == null) return NOTHING;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.floor(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** @param {number} part @param {number} all */
export function percent(part, all) {
  return all ? `${((100 * part) / all).toFixed(part && part < all / 100 ? 1 : 0)} %` : NOTHING;
}

/** Time of day; with the date where it is not today's. @param {string} time ISO 8601 */
export function clock(time) {
  const moment = new Date(time);
  const today = moment.toDateString() === new Date().toDateString();
  return today ? CLOCK.format(moment) : `${DAY.format(moment)}, ${HOUR.format(moment)}`;
}

/** @param {string} time ISO 8601 */
export function fullTime(time) {
  return new Date(time).toLocaleString(LOCALE, {
    dateStyle: "medium",
    timeStyle: "medium",
    hourCycle: "h23",
  });
}

/** @param {string} time ISO 8601 */
export function ago(time) {
  const seconds = Math.max(0, (Date.now() - new Date(time).getTime()) / 1000);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** The name of a bucket of time on an axis. @param {string} start @param {"hour" | "day"} bucket */
export function bucketName(start, bucket) {
  const moment = new Date(start.length === 10 ? `${start}T00:00` : start);
  return bucket === "hour" ? HOUR.format(moment) : DAY.format(moment);
}

/** @param {number} count @param {string} word @param {string} [plural] */
export function counted(count, word, plural = `${word}s`) {
  return `${whole(count)} ${count === 1 ? word : plural}`;
}

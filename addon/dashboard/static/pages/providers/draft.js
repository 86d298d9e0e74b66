/** A provider's entry in rules.yaml as its form holds it, and the changes that the form has made. */

export const TIMEOUTS = { connect: "10", first_byte: "300", idle: "300", total: "3600" };

const text = (/** @type {any} */ value) => (value == null ? "" : String(value));
const list = (/** @type {any} */ value) => (value == null ? [] : Array.isArray(value) ? value : [value]);

/** @param {any} [settings] the entry; null: there is none */
export function toDraft(settings) {
  const entry = settings ?? {};
  const { base_url: url, timeouts, concurrency } = entry;
  const byFormat = url !== null && typeof url === "object";
  return {
    id: "",
    title: text(entry.title),
    byFormat,
    base_url: byFormat ? "" : text(url),
    base_urls: byFormat ? { ...url } : {},
    formats: list(entry.formats),
    models: list(entry.models).map((model) => (typeof model === "object" ? model.id : model)),
    api_key: text(entry.api_key),
    region: text(entry.region),
    api_version: text(entry.api_version),
    dialect: text(entry.dialect),
    headers: Object.entries(entry.headers ?? {}),
    timeouts: Object.fromEntries(Object.keys(TIMEOUTS).map((key) => [key, text(timeouts?.[key])])),
    concurrency: { running: text(concurrency?.running), waiting: text(concurrency?.waiting) },
  };
}

/** @param {string} typed */
function number(typed) {
  const value = Number(typed);
  return Number.isNaN(value) ? typed : value;
}

/** @param {Record<string, any>} map @returns {Record<string, any> | null} null: nothing is said */
function filled(map) {
  const entries = Object.entries(map).filter(([, value]) => value !== "");
  return entries.length ? Object.fromEntries(entries) : null;
}

/** @param {Record<string, string>} map */
const numbers = (map) =>
  filled(Object.fromEntries(Object.entries(map).map(([key, typed]) => [key, typed && number(typed)])));

/**
 * Return what the form says differently from what it was opened with; null removes a key.
 * @param {ReturnType<typeof toDraft>} draft
 * @param {ReturnType<typeof toDraft>} before
 */
export function changes(draft, before) {
  /** @type {Record<string, any>} */
  const now = {
    title: draft.title.trim() || null,
    base_url: draft.byFormat ? filled(draft.base_urls) : draft.base_url.trim() || null,
    formats: draft.formats.length ? draft.formats : null,
    models: draft.models.length ? draft.models : null,
    api_key: draft.api_key.trim() || null,
    region: draft.region || null,
    api_version: draft.api_version.trim() || null,
    dialect: draft.dialect || null,
    headers: filled(Object.fromEntries(draft.headers.filter(([name]) => name))),
    timeouts: numbers(draft.timeouts),
    concurrency: numbers(draft.concurrency),
  };
  const touched = (/** @type {string} */ key) => {
    const parts = key === "base_url" ? ["byFormat", "base_url", "base_urls"] : [key];
    return parts.some((part) => JSON.stringify(draft[part]) !== JSON.stringify(before[part]));
  };
  return Object.fromEntries(Object.entries(now).filter(([key]) => touched(key)));
}

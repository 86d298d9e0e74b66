/**
 * A rule as its form holds it, and back.
 *
 * In the file a value may be one or a list, and what is empty is not there. The form has lists and
 * texts for everything. A value that was not touched goes back just as it was written.
 */

import { ApiError } from "../../api.js";

/** @typedef {{requests: string, tokens: string, cost_usd: string, per: string, by: string, else: string[]}} LimitDraft */

const LISTS = ["agent", "phase", "model", "endpoint", "provider", "has"];
const TEXTS = ["input_tokens", "filter"];
const AMOUNTS = ["requests", "tokens", "cost_usd"];
const OURS = ["name", "when", "use", "fallback", "limit", "api_key", "set", "drop"];

/** @param {any} value @returns {string[]} */
const list = (value) => (value == null ? [] : Array.isArray(value) ? value.map(String) : [String(value)]);
const text = (/** @type {any} */ value) => (value == null ? "" : String(value));
const one = (/** @type {any[]} */ values) => (values.length === 1 ? values[0] : values);
const isMap = (/** @type {any} */ value) =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** @param {any} rule as the API tells it; undefined: a new one */
export function toDraft(rule = {}) {
  const { when = {}, use, fallback = {}, limit, set = {} } = rule;
  const byPhase = isMap(use);
  return {
    name: text(rule.name),
    when: {
      ...Object.fromEntries(LISTS.map((key) => [key, list(when?.[key])])),
      ...Object.fromEntries(TEXTS.map((key) => [key, text(when?.[key])])),
      header: Object.entries(when?.header ?? {}).map(([name, glob]) => [name, text(glob)]),
    },
    byPhase,
    chain: byPhase ? [] : list(use),
    phases: byPhase
      ? Object.fromEntries(Object.entries(use).map(([phase, chain]) => [phase, list(chain)]))
      : {},
    fallback: {
      on: list(fallback?.on),
      not_on: list(fallback?.not_on),
      retries: text(fallback?.retries),
      cooldown: text(fallback?.cooldown),
    },
    limit: (Array.isArray(limit) ? limit : limit ? [limit] : []).map((entry) => ({
      ...Object.fromEntries(AMOUNTS.map((key) => [key, text(entry[key])])),
      per: entry.per ?? "day",
      by: entry.by ?? "",
      else: list(entry.else),
    })),
    api_key: text(rule.api_key),
    set: Object.entries(set ?? {}).map(([name, value]) => [name, JSON.stringify(value)]),
    drop: list(rule.drop),
  };
}

/** @param {string} typed what else is no number goes to the server, which says so at its field */
function number(typed) {
  const value = Number(typed.replaceAll(",", "").replaceAll("_", ""));
  return Number.isNaN(value) ? typed : value;
}

/** @param {string} name @param {string} typed JSON, or words, which need no quotes */
function setValue(name, typed) {
  try {
    return JSON.parse(typed);
  } catch {
    if (!/^\s*["[{]/.test(typed)) return typed;
    throw new ApiError(400, { message: `The value of ${name} is not valid JSON.`, field: `set.${name}` });
  }
}

/** @param {Record<string, any>} map */
function filled(map) {
  const entries = Object.entries(map).filter(
    ([, value]) => value !== "" && !(Array.isArray(value) && !value.length),
  );
  return entries.length ? Object.fromEntries(entries) : undefined;
}

/** @param {LimitDraft} limit */
function fromLimit(limit) {
  const amounts = AMOUNTS.map((key) => [key, limit[key] && number(limit[key])]);
  return filled({
    ...Object.fromEntries(amounts),
    per: limit.per,
    by: limit.by,
    else: one(limit.else.filter(Boolean)),
  });
}

/**
 * @param {ReturnType<typeof toDraft>} draft
 * @param {any} [original] the rule that the form was opened with
 */
export function fromDraft(draft, original = {}) {
  const { when, fallback } = draft;
  const phases = Object.entries(draft.phases).map(([phase, chain]) => [phase, one(chain.filter(Boolean))]);
  const limits = draft.limit.map(fromLimit);
  /** @type {Record<string, any>} */
  const made = {
    name: draft.name.trim() || undefined,
    when: filled({
      ...Object.fromEntries(LISTS.map((key) => [key, one(when[key])])),
      ...Object.fromEntries(TEXTS.map((key) => [key, when[key].trim()])),
      header: filled(Object.fromEntries(when.header.filter(([name]) => name))) ?? "",
    }),
    use: draft.byPhase ? Object.fromEntries(phases) : one(draft.chain.filter(Boolean)),
    fallback: filled({
      on: one(fallback.on),
      not_on: one(fallback.not_on),
      retries: fallback.retries && number(fallback.retries),
      cooldown: fallback.cooldown && number(fallback.cooldown),
    }),
    limit: limits.length ? one(limits) : undefined,
    api_key: draft.api_key.trim() || undefined,
    set: filled(
      Object.fromEntries(
        draft.set.filter(([name]) => name).map(([name, value]) => [name, setValue(name, value)]),
      ),
    ),
    drop: draft.drop.length ? one(draft.drop) : undefined,
  };
  const before = toDraft(original);
  const rule = { ...original };
  for (const key of OURS) {
    const parts = key === "use" ? ["byPhase", "chain", "phases"] : [key];
    const touched = parts.some((name) => JSON.stringify(draft[name]) !== JSON.stringify(before[name]));
    if (touched) rule[key] = made[key];
    if (rule[key] === undefined) delete rule[key];
  }
  return rule;
}

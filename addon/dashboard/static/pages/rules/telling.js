/** What a rule says, in a few words. */

import { dollars, whole } from "../../formatting.js";

/** @param {any} value @returns {string[]} */
export const several = (value) => (value == null ? [] : Array.isArray(value) ? value : [value]);

/** @param {any} when @returns {[string, string][]} the name of each condition, and what it wants */
export function conditions(when) {
  return Object.entries(when ?? {}).flatMap(([key, value]) =>
    key === "header"
      ? Object.entries(value ?? {}).map(
          ([name, glob]) => /** @type {[string, string]} */ ([name, String(glob)]),
        )
      : [
          /** @type {[string, string]} */ ([
            key.replaceAll("_", " "),
            several(value).join(key === "has" ? " + " : ", "),
          ]),
        ],
  );
}

/** @param {any} limit */
function limitWords({ requests, tokens, cost_usd: cost, per = "day", by }) {
  const amounts = [
    requests != null && `${whole(requests)} calls`,
    tokens != null && `${whole(tokens)} tokens`,
    cost != null && dollars(cost),
  ];
  return `at most ${amounts.filter(Boolean).join(", ")} a ${per}${by ? " each" : ""}`;
}

/** @param {any} rule @returns {string[]} what it does beside sending calls somewhere */
export function extras({ set, drop, limit, fallback, api_key: key }) {
  return [
    set && `sets ${Object.keys(set).join(", ")}`,
    drop && `drops ${several(drop).join(", ")}`,
    ...several(limit).map(limitWords),
    fallback?.retries && `retries ${fallback.retries}×`,
    fallback?.on && `falls back on ${several(fallback.on).join(", ")}`,
    key && "own key",
  ].filter(Boolean);
}

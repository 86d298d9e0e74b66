/** Where the page is: `#/live?provider=zai` is the page "live" with the query `{provider: "zai"}`. */

import { Store } from "./store.js";

/** @typedef {{page: string, query: Record<string, string>}} Route */

/** @returns {Route} */
function current() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return { page: path || "live", query: Object.fromEntries(new URLSearchParams(query)) };
}

export const route = new Store(current());

addEventListener("hashchange", () => route.set(current()));

/**
 * Write the address of a page.
 * @param {string} page
 * @param {Record<string, string>} [query] empty values are left out
 */
export function link(page, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value);
  const text = new URLSearchParams(given).toString();
  return `#/${page}${text ? `?${text}` : ""}`;
}

/** @param {string} page @param {Record<string, string>} [query] */
export function go(page, query) {
  location.hash = link(page, query);
}

/**
 * Change the query without a new entry in the browser's history.
 * @param {Record<string, string>} query
 */
export function replaceQuery(query) {
  history.replaceState(null, "", link(route.value.page, query));
  route.set(current());
}

/** Which exchanges are shown: the query of the page's address, and the bar that edits it. */

import { read } from "../../api.js";
import { html, useEffect, useRef, useState } from "../../html.js";
import { Icon } from "../../icons.js";
import { replaceQuery } from "../../router.js";
import { useShortcut } from "../../shortcuts.js";

const NAMES = ["agent", "provider", "model", "rule"];
export const FILTERS = [...NAMES, "status", "text"];
const STATUSES = { "": "All", ok: "OK", error: "Errors", running: "Running" };
const TYPING_TIME = 200;

/** @param {any} exchange */
export function failed(exchange) {
  return exchange.error != null || exchange.status >= 400;
}

/**
 * Tell what the server would: whether an exchange passes the filters.
 * @param {any} exchange
 * @param {Record<string, string>} filters
 */
export function matches(exchange, { agent, provider, model, rule, status, text }) {
  const running = exchange.state === "running";
  if (agent && exchange.agent !== agent) return false;
  if (provider && ![exchange.provider, exchange.actual_provider].includes(provider)) return false;
  if (model && ![exchange.requested_model, exchange.model].includes(model)) return false;
  if (rule && exchange.rule !== rule) return false;
  if (status === "running" && !running) return false;
  if (status === "ok" && (running || failed(exchange))) return false;
  if (status === "error" && !failed(exchange)) return false;
  if (Number(status) && exchange.status !== Number(status)) return false;
  if (!text) return true;
  const { requested_model, actual_provider, endpoint, error } = exchange;
  const words = [exchange.agent, exchange.provider, actual_provider, requested_model, exchange.model, exchange.rule];
  return [...words, endpoint, error].some((word) => word?.toLowerCase().includes(text.toLowerCase()));
}

/** Fetch what there is to choose from: all names of the last month. */
async function readChoices() {
  const groups = await Promise.all(NAMES.map((by) => read("usage", { since: "30d", by })));
  const choices = groups.map(({ groups: found }, index) => {
    const names = found.map((group) => group[NAMES[index]]).filter(Boolean);
    const plain = NAMES[index] === "model" ? names.map((name) => name.slice(name.indexOf(":") + 1)) : names;
    return [NAMES[index], [...new Set(plain)].sort()];
  });
  return Object.fromEntries(choices);
}

function Choice({ name, value, choices, onChange }) {
  const all = value && !choices.includes(value) ? [value, ...choices] : choices;
  return html`<select aria-label=${`Filter by ${name}`} value=${value} data-filter=${name}
    data-set=${value ? "" : undefined} onChange=${(event) => onChange(event.target.value)}>
    <option value="">Any ${name}</option>
    ${all.map((choice) => html`<option value=${choice}>${choice}</option>`)}
  </select>`;
}

/** @param {{query: Record<string, string>, newest: string | undefined}} props `newest`: its id */
export function FilterBar({ query, newest }) {
  const [choices, setChoices] = useState(/** @type {Record<string, string[]>} */ ({}));
  const [text, setText] = useState(query.text ?? "");
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  const typing = useRef(0);
  const asked = useRef("");
  useShortcut("/", "search", () => search.current?.focus());
  useEffect(() => setText(query.text ?? ""), [query.text]);

  const ask = () => {
    if (asked.current === (newest ?? "none")) return;
    asked.current = newest ?? "none"; // nothing has come since: the choices are the same
    readChoices().then(setChoices, () => {});
  };
  const change = (/** @type {string} */ name, /** @type {string} */ value) => {
    const { id: _closed, ...rest } = query;
    replaceQuery({ ...rest, [name]: value });
  };
  const type = (/** @type {string} */ value) => {
    setText(value);
    clearTimeout(typing.current);
    typing.current = setTimeout(() => change("text", value), TYPING_TIME);
  };
  const used = FILTERS.some((name) => query[name]);
  return html`<form class="filters" role="search" aria-label="Filter the calls" onFocusIn=${ask} onMouseEnter=${ask}
    onSubmit=${(event) => event.preventDefault()}>
    <div class="search">
      <${Icon} name="search" />
      <input type="search" ref=${search} aria-label="Search in names, models, rules and errors" placeholder="Search"
        value=${text} onInput=${(event) => type(event.target.value)} />
    </div>
    <div class="segments" role="radiogroup" aria-label="Filter by status">
      ${Object.entries(STATUSES).map(
        ([value, name]) => html`<label>
          <input type="radio" name="status" checked=${(query.status ?? "") === value}
            onChange=${() => change("status", value)} />
          <span>${name}</span>
        </label>`,
      )}
    </div>
    ${NAMES.map(
      (name) => html`<${Choice} name=${name} value=${query[name] ?? ""} choices=${choices[name] ?? []}
        onChange=${(value) => change(name, value)} />`,
    )}
    ${used && html`<button type="button" class="button plain tight" onClick=${() => replaceQuery({})}>Clear</button>`}
  </form>`;
}

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

/** What a search looks through. */
const SEARCHED = [
  "id",
  "agent",
  "endpoint",
  "provider",
  "actual_provider",
  "requested_model",
  "model",
  "rule",
  "error",
];

/**
 * Tell what the server would: whether an exchange passes the filters.
 * @param {any} exchange
 * @param {Record<string, string>} filters
 */
export function matches(exchange, { agent, provider, model, rule, status, text = "" }) {
  const running = exchange.state === "running";
  const { actual_provider: answered, provider: called } = exchange;
  const models = [exchange.model, exchange.requested_model, `${answered}:${exchange.model}`];
  if (agent && exchange.agent !== agent) return false;
  if (provider && (answered ?? called) !== provider) return false;
  if (model && !models.includes(model)) return false;
  if (rule && exchange.rule !== rule) return false;
  if (status === "running" && !running) return false;
  if (status === "ok" && (running || failed(exchange))) return false;
  if (status === "error" && (running || !failed(exchange))) return false;
  if (Number(status) && exchange.status !== Number(status)) return false;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => SEARCHED.some((key) => exchange[key]?.toLowerCase().includes(word)));
}

/** Fetch what there is to choose from: all names of the last month. */
async function readChoices() {
  const groups = await Promise.all(NAMES.map((by) => read("usage", { since: "30d", by })));
  const choices = groups.map(({ groups: found }, index) => {
    const names = found.map((group) => group[NAMES[index]]).filter(Boolean);
    return [NAMES[index], names.sort()];
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
  useEffect(() => {
    if (newest) ask();
  }, [!newest]);
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
  return html`<form class="filters" role="search" aria-label="Filter the calls" onFocusIn=${ask}
      onMouseEnter=${ask}
    onSubmit=${(event) => event.preventDefault()}>
    <div class="search">
      <${Icon} name="search" />
      <input type="search" ref=${search} aria-label="Search in names, models, rules and errors"
          placeholder="Search"
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
    ${
      used &&
      html`<button type="button" class="button plain tight"
        onClick=${() => replaceQuery({})}>Clear</button>`
    }
  </form>`;
}

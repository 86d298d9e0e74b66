/** How much the calls of a rule may use. */

import { Field, SelectField, TextField } from "../../components/form.js";
import { ChainChoice } from "../../components/target_choice.js";
import { html } from "../../html.js";

const AMOUNTS = { requests: "Calls", tokens: "Tokens", cost_usd: "US dollars" };
const PERIODS = { hour: "an hour", day: "a day", month: "a month" };
const EMPTY = { requests: "", tokens: "", cost_usd: "", per: "day", by: "", else: [] };

/** @param {{limits: import("./draft.js").LimitDraft[], onChange: (limits: any[]) => void}} props */
export function LimitFields({ limits, onChange }) {
  const put = (/** @type {number} */ index, /** @type {string} */ key) => (/** @type {any} */ value) =>
    onChange(limits.map((limit, place) => (place === index ? { ...limit, [key]: value } : limit)));
  const at = (/** @type {number} */ index) => (limits.length > 1 ? `limit[${index}]` : "limit");
  return html`<div class="stack">
    <p class="hint small quiet">Once one is used up, calls are refused with status 429, or go elsewhere.</p>
    ${limits.map(
      (limit, index) => html`<fieldset class="limit stack" key=${index}>
        <legend class="unseen">Limit ${index + 1}</legend>
        <div class="fields narrow">
          ${Object.entries(AMOUNTS).map(
            ([key, label]) => html`<${TextField} label=${label} type="number" path=${`${at(index)}.${key}`}
                placeholder="any"
              value=${limit[key]} onChange=${put(index, key)} />`,
          )}
          <${SelectField} label="In" path=${`${at(index)}.per`} value=${limit.per} options=${PERIODS}
              onChange=${put(index, "per")} />
          <${SelectField} label="Counted for" path=${`${at(index)}.by`} value=${limit.by}
              onChange=${put(index, "by")}
            options=${{ "": "all agents together", agent: "each agent" }} />
        </div>
        <${Field} label="Then" path=${`${at(index)}.else`} group hint="Refused where nothing is chosen.">
          ${(given) => html`<${ChainChoice} label=${`Target beyond limit ${index + 1}`} value=${limit.else}
              onChange=${put(index, "else")}
            invalid=${given["aria-invalid"]} />`}
        <//>
        <div>
          <button type="button" class="button tight"
              onClick=${() => onChange(limits.filter((_, place) => place !== index))}>
            Remove this limit
          </button>
        </div>
      </fieldset>`,
    )}
    <div><button type="button" class="button tight"
        onClick=${() => onChange([...limits, EMPTY])}>Add a limit</button></div>
  </div>`;
}

/** Inputs of several values: from a list, or typed. */

import { html, useId, useState } from "../html.js";
import { Field } from "./form.js";

/**
 * Several of a few words, to be ticked.
 * @param {{label: string, path: string, hint?: any, options: string[], chosen: string[], onChange: (chosen: string[]) => void}} props
 */
export function Choices({ label, path, hint, options, chosen, onChange }) {
  const all = [...options, ...chosen.filter((word) => !options.includes(word))];
  const toggle = (/** @type {string} */ word, /** @type {boolean} */ on) =>
    onChange(on ? [...chosen, word] : chosen.filter((other) => other !== word));
  return html`<${Field} label=${label} path=${path} hint=${hint} group>
    ${() => html`<div class="choices">
      ${all.map(
        (word) => html`<label>
          <input type="checkbox" checked=${chosen.includes(word)}
              onChange=${(event) => toggle(word, event.target.checked)} />
          <span>${word}</span>
        </label>`,
      )}
    </div>`}
  <//>`;
}

/**
 * Several words to be typed; Enter or a comma ends one, Backspace takes the last one back.
 * @param {{label: string, path: string, hint?: any, placeholder?: string, values: string[],
 *   suggestions?: string[], onChange: (values: string[]) => void}} props
 */
export function Values({ label, path, hint, placeholder, values, suggestions = [], onChange }) {
  const [text, setText] = useState("");
  const list = useId();
  const add = (/** @type {string} */ typed) => {
    const word = typed.trim();
    if (word && !values.includes(word)) onChange([...values, word]);
    setText("");
  };
  const onInput = (/** @type {any} */ event) => {
    const typed = event.target.value;
    const chosen = !(event instanceof InputEvent) || event.inputType === "insertReplacementText";
    const ends = typed.endsWith(",") && !typed.startsWith("/"); // a comma may be part of a /pattern/
    if (ends) add(typed.slice(0, -1));
    else if (chosen && suggestions.includes(typed)) add(typed);
    else setText(typed);
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && text.trim()) {
      event.preventDefault();
      add(text);
    } else if (event.key === "Backspace" && !text && values.length) {
      onChange(values.slice(0, -1));
    }
  };
  return html`<${Field} label=${label} path=${path} hint=${hint}>
    ${(given) => html`<div class="values" data-invalid=${given["aria-invalid"]}>
      ${values.map(
        (word) => html`<span class="chip" key=${word}>
          <code>${word}</code>
          <button type="button" aria-label=${`Remove ${word}`}
              onClick=${() => onChange(values.filter((other) => other !== word))}>×</button>
        </span>`,
      )}
      <input ...${given} value=${text} placeholder=${values.length ? "" : placeholder}
          list=${suggestions.length ? list : undefined}
        spellcheck=${false} autocomplete="off" onInput=${onInput} onKeyDown=${onKeyDown} onBlur=${() => add(text)} />
      ${suggestions.length > 0 && html`<datalist id=${list}>${suggestions.map((word) => html`<option value=${word} />`)}</datalist>`}
    </div>`}
  <//>`;
}

/**
 * One of a few, all of which are seen.
 * @param {{label: string, value: string, options: Record<string, string>, onChange: (value: string) => void}} props
 */
export function Segments({ label, value, options, onChange }) {
  const name = useId();
  return html`<div class="segments" role="radiogroup" aria-label=${label}>
    ${Object.entries(options).map(
      ([key, words]) => html`<label>
        <input type="radio" name=${name} value=${key} checked=${key === value}
            onChange=${() => onChange(key)} />
        <span>${words}</span>
      </label>`,
    )}
  </div>`;
}

/**
 * Pairs of a name and a value.
 * @param {{label: string, path: string, hint?: any, pairs: [string, string][], names: [string, string],
 *   add: string, onChange: (pairs: [string, string][]) => void}} props `names`: of the two columns
 */
export function Pairs({ label, path, hint, pairs, names, add, onChange }) {
  const change = (/** @type {number} */ row, /** @type {number} */ column, /** @type {string} */ text) =>
    onChange(
      pairs.map((pair, index) => (index === row ? (column ? [pair[0], text] : [text, pair[1]]) : pair)),
    );
  return html`<${Field} label=${label} path=${path} hint=${hint} group>
    ${(given) => html`
      ${pairs.map(
        (pair, row) => html`<div class="pair">
          ${[0, 1].map(
            (column) => html`<input aria-label=${names[column]} placeholder=${names[column]}
                value=${pair[column]} class="mono"
              aria-invalid=${given["aria-invalid"]} spellcheck=${false} onInput=${(event) => change(row, column, event.target.value)} />`,
          )}
          <button type="button" class="button plain tight"
              aria-label=${`Remove ${pair[0] || "the empty line"}`}
            onClick=${() => onChange(pairs.filter((_, index) => index !== row))}>Remove</button>
        </div>`,
      )}
      <div><button type="button" class="button tight"
          onClick=${() => onChange([...pairs, ["", ""]])}>${add}</button></div>
    `}
  <//>`;
}

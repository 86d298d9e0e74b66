/**
 * Forms that show what is wrong where it is wrong.
 *
 * The API names the field of a mistake by its path in the request (`when.model`, `use[1]`). Each
 * `Field` knows its own path and shows the mistakes at or below it; what no field shows stands beside
 * the buttons. Where the file has changed meanwhile, the form asks whose edit is to stay.
 */

import { Conflict } from "../edited.js";
import { createContext, html, useContext, useEffect, useId, useRef, useState } from "../html.js";
import { marked } from "./words.js";

/** @typedef {{message: string, field?: string, remedy?: string}} Problem */

const Problems = createContext(/** @type {Problem[]} */ ([]));

/** @param {string} field @param {string} path */
function belongs(field, path) {
  return field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`);
}

/** @param {any} error @returns {Problem[]} */
function problemsOf(error) {
  const all = error?.body?.error?.problems ?? (error ? [error] : []);
  return all.map((problem) => ({
    ...problem,
    message: problem.message,
    field: (problem.field ?? "").replace(/^rule\./, ""),
  }));
}

/**
 * One input with its name, what it is for, and what is wrong with it.
 * @param {{label: string, path?: string, hint?: any, group?: boolean, children: (given: any) => any}} props
 *   `children` gets the attributes of the input; `group` is for several inputs under one name
 */
export function Field({ label, path = "", hint = "", group = false, children }) {
  const id = useId();
  const problems = useContext(Problems).filter((problem) => path && belongs(problem.field ?? "", path));
  const described = [hint && `${id}-hint`, problems.length && `${id}-problem`].filter(Boolean).join(" ");
  const given = {
    id: group ? undefined : id,
    "aria-invalid": problems.length ? "true" : undefined,
    "aria-describedby": described || undefined,
  };
  const inside = html`
    ${children(given)}
    ${hint && html`<p class="hint" id="${id}-hint">${typeof hint === "string" ? marked(hint) : hint}</p>`}
    ${problems.map(
      ({ message, remedy }) => html`<p class="problem"
          id="${id}-problem">${marked(message)} ${marked(remedy ?? "")}</p>`,
    )}
  `;
  return group
    ? html`<fieldset class="field" data-path=${path} data-invalid=${problems.length ? "" : undefined}>
        <legend>${label}</legend>${inside}
      </fieldset>`
    : html`<div class="field" data-path=${path}><label for=${id}>${label}</label>${inside}</div>`;
}

/**
 * @param {{
 *   label: string, submit: string, children: any, onSubmit: (keep: boolean) => Promise<any>,
 *   onCancel?: () => void, onReload?: () => void, more?: any,
 * }} props `onSubmit` rejects with an `ApiError`; `keep` tells that it is to win over another's edit
 */
export function Form({ label, submit, children, onSubmit, onCancel, onReload, more }) {
  const [error, setError] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState(false);
  const element = useRef(/** @type {HTMLFormElement | null} */ (null));
  const problems = error && !error.isConflict ? problemsOf(error) : [];

  useEffect(() => {
    const wrong = element.current?.querySelector('[aria-invalid="true"], [data-invalid] input');
    setTold(Boolean(wrong));
    if (error && wrong) {
      wrong.closest("details")?.setAttribute("open", "");
      /** @type {HTMLElement} */ (wrong).focus();
    }
  }, [error]);

  const send = async (/** @type {boolean} */ keep) => {
    setBusy(true);
    try {
      await onSubmit(keep);
      setError(null);
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  const onForm = (/** @type {Event} */ event) => {
    event.preventDefault();
    send(false);
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && onCancel) {
      event.stopPropagation();
      onCancel();
    }
  };
  return html`<form class="stack" ref=${element} aria-label=${label} onSubmit=${onForm} onKeyDown=${onKey}
      noValidate autocomplete="off">
    <${Problems.Provider} value=${problems}>${children}<//>
    ${error?.isConflict && html`<${Conflict} onKeep=${() => send(true)} onReload=${onReload} />`}
    ${
      problems.length > 0 &&
      html`<div class="notice" data-tone="bad" role="alert">
      ${told ? "Not saved: see the marked field." : problems.map(({ message, remedy }) => html`<span>${marked(message)} ${marked(remedy ?? "")}</span>`)}
    </div>`
    }
    <div class="form-actions">
      <button class="button primary" disabled=${busy}>${busy ? "One moment …" : submit}</button>
      ${onCancel && html`<button type="button" class="button" onClick=${onCancel}>Cancel</button>`}
      ${more}
    </div>
  </form>`;
}

/**
 * One of a few.
 * @param {{label: string, value: string, options: Record<string, string>, onChange: (value: string) => void,
 *   path?: string, hint?: any}} props `options`: what is shown for each value
 */
export function SelectField({ label, value, options, onChange, path, hint }) {
  return html`<${Field} label=${label} path=${path} hint=${hint}>
    ${(given) => html`<select ...${given} value=${value} onChange=${(event) => onChange(event.target.value)}>
      ${Object.entries(options).map(([key, words]) => html`<option value=${key}>${words}</option>`)}
    </select>`}
  <//>`;
}

/**
 * A text field.
 * @param {{label: string, value: string, onChange: (value: string) => void, path?: string, hint?: any,
 *   placeholder?: string, type?: string, mono?: boolean, focus?: boolean, suggestions?: string[]}} props
 */
export function TextField({
  label,
  value,
  onChange,
  path,
  hint,
  placeholder,
  type = "text",
  mono,
  focus,
  suggestions = [],
}) {
  const list = useId();
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (focus) input.current?.focus();
  }, []);
  return html`<${Field} label=${label} path=${path} hint=${hint}>
    ${(given) => html`<input ...${given} ref=${input} type=${type} value=${value} placeholder=${placeholder}
      inputmode=${type === "number" ? "decimal" : undefined} step=${type === "number" ? "any" : undefined}
      class=${mono ? "mono" : undefined} spellcheck=${false} autocomplete=${type === "password" ? "new-password" : "off"}
      list=${suggestions.length ? list : undefined}
      onInput=${(event) => onChange(event.target.value)} />
      ${suggestions.length > 0 && html`<datalist id=${list}>${suggestions.map((word) => html`<option value=${word} />`)}</datalist>`}`}
  <//>`;
}

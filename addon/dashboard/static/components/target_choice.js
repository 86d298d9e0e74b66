/** The one drop-down for a target: grouped by provider, those that cannot be used greyed with the reason. */

import { html, useEffect, useRef, useState } from "../html.js";
import { useStore } from "../store.js";
import { askingProviders, askProviders, readTargets, targets } from "../targets.js";

const OTHER = "\u0000other";
const ASK = "\u0000ask";
/** Milliseconds for which a choice is held: Chromium makes one of Escape, and then tells of the key. */
const HOLD = 100;

/**
 * A target and its price; the one that is chosen is shown in little room, and without it.
 * @param {import("../targets.js").Target} target
 * @param {string} chosen
 */
function words({ value, input_price: input, output_price: output }, chosen) {
  return input == null || output == null || value === chosen ? value : `${value} · $${input} / $${output}`;
}

/** A reason in few words: what stands before its explanation. @param {string | null} reason */
function brief(reason) {
  const [first] = (reason ?? "not usable").split(/[:;(]/);
  return first.trim();
}

/**
 * Open the list for keys that would otherwise change the value at once: where each step is an edit of
 * rules.yaml, nobody wants to walk through targets that calls are then sent to.
 * @param {KeyboardEvent} event
 */
function openByKey(event) {
  const select = /** @type {HTMLSelectElement} */ (event.currentTarget);
  const changes = ["ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp"].includes(event.key);
  if ((!changes && !/^\w$/.test(event.key)) || event.ctrlKey || event.metaKey || !select.showPicker) return;
  event.preventDefault();
  select.showPicker();
}

/** A target in one's own words, for what no list has. */
function TypedTarget({ value, label, given, onDone }) {
  const [text, setText] = useState(value);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => input.current?.focus(), []);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (!["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    onDone(event.key === "Enter" ? text.trim() : "");
  };
  return html`<input ...${given} ref=${input} class="mono target-choice" aria-label=${`${label}, as PROVIDER:MODEL`}
    value=${text} placeholder="provider:model" spellcheck=${false} onInput=${(event) => setText(event.target.value)}
    onBlur=${() => onDone(text.trim())} onKeyDown=${onKeyDown} />`;
}

/** The options of one provider. */
function Group({ group, chosen }) {
  const { name, usable, reason, targets: models } = group;
  return html`<optgroup label=${usable ? name : `${name}: ${brief(reason)}`} disabled=${!usable}
    title=${reason ?? ""}>
    ${models.map(
      (target) => html`<option value=${target.value} title=${target.label}>${words(target, chosen)}</option>`,
    )}
    ${models.length === 0 && html`<option disabled>no models known</option>`}
  </optgroup>`;
}

/**
 * @param {{value: string, label: string, onChange: (value: string) => void, verdicts?: boolean, given?: any}} props
 *   `verdicts`: whether `pass` and `block` can be chosen; `given`: attributes from a `Field`
 */
export function TargetChoice({ value, label, onChange, verdicts = true, given = {} }) {
  const known = useStore(targets);
  const asking = useStore(askingProviders);
  const [typing, setTyping] = useState(false);
  const held = useRef(/** @type {{take: () => void, timer: ReturnType<typeof setTimeout>} | null} */ (null));
  useEffect(() => {
    if (!known) readTargets();
  }, []);
  if (typing) {
    const done = (/** @type {string} */ target) => {
      setTyping(false);
      if (target && target !== value) onChange(target);
    };
    return html`<${TypedTarget} value=${value} label=${label} given=${given} onDone=${done} />`;
  }
  const take = (/** @type {HTMLSelectElement} */ select, /** @type {string} */ chosen) => {
    if (chosen !== OTHER && chosen !== ASK) {
      onChange(chosen);
      return;
    }
    select.value = value; // neither is a target
    if (chosen === OTHER) setTyping(true);
    else askProviders();
  };
  const release = (/** @type {boolean} */ taken) => {
    const choice = held.current;
    held.current = null;
    clearTimeout(choice?.timer);
    if (taken) choice?.take();
  };
  const choose = (/** @type {any} */ event) => {
    const select = event.target;
    const chosen = select.value;
    release(false);
    held.current = { take: () => take(select, chosen), timer: setTimeout(() => release(true), HOLD) };
  };
  const leave = (/** @type {any} */ event) => {
    if (event.key !== "Escape") return;
    release(false);
    event.target.value = value;
  };
  const listed = known?.groups.some(({ targets: models }) => models.some((target) => target.value === value));
  const isVerdict = known?.verdicts.some((verdict) => verdict.value === value);
  return html`<select ...${given} class="target-choice" aria-label=${label} value=${value} onChange=${choose}
    onKeyDown=${openByKey} onKeyUp=${leave} onBlur=${() => release(true)}>
    ${!value && html`<option value="" disabled>Choose a target</option>`}
    ${value && !listed && !(isVerdict && verdicts) && html`<option value=${value}>${value}</option>`}
    ${
      verdicts &&
      known &&
      html`<optgroup label="Without a provider">
        ${known.verdicts.map((verdict) => html`<option value=${verdict.value}>${verdict.label}</option>`)}
      </optgroup>`
    }
    ${known?.groups.map((group) => html`<${Group} key=${group.provider} group=${group} chosen=${value} />`)}
    <option value=${OTHER}>Another model …</option>
    <option value=${ASK} disabled=${asking}>
      ${asking ? "Asking the providers …" : "Ask the providers for all their models"}
    </option>
  </select>`;
}

/**
 * Targets in order of preference.
 * @param {{value: string[], label: string, onChange: (value: string[]) => void, invalid?: string}} props
 */
export function ChainChoice({ value, label, onChange, invalid }) {
  const put = (/** @type {number} */ index, /** @type {string} */ target) =>
    onChange(value.map((other, place) => (place === index ? target : other)));
  const swap = (/** @type {number} */ index) => {
    const next = [...value];
    [next[index - 1], next[index]] = [next[index], next[index - 1]];
    onChange(next);
  };
  const shown = value.length ? value : [""];
  return html`<div class="chain">
    ${shown.map(
      (target, index) => html`<div class="chain-link">
        <span class="quiet small">${index ? "then" : "first"}</span>
        <${TargetChoice} value=${target} verdicts=${shown.length === 1}
            label=${index ? `${label}, fallback ${index}` : label}
          given=${{ "aria-invalid": invalid }}
          onChange=${(chosen) => (value.length ? put(index, chosen) : onChange([chosen]))} />
        <button type="button" class="button plain tight" disabled=${index === 0}
            aria-label=${`Try ${target} earlier`}
          onClick=${() => swap(index)}>Earlier</button>
        <button type="button" class="button plain tight" disabled=${value.length < 2}
            aria-label=${`Remove ${target}`}
          onClick=${() => onChange(value.filter((_, place) => place !== index))}>Remove</button>
      </div>`,
    )}
    ${
      value.length > 0 &&
      !["pass", "block"].includes(value[0]) &&
      html`<div><button type="button" class="button tight"
        onClick=${() => onChange([...value, ""])}>Add a fallback target</button></div>`
    }
  </div>`;
}

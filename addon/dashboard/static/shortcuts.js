/** Keys that act at once: single ones, and `g` followed by another one. */

import { Dialog } from "./components/dialog.js";
import { html, useEffect, useRef } from "./html.js";
import { Store, useStore } from "./store.js";

/** @typedef {{keys: string, does: string, run: (event: KeyboardEvent) => void}} Shortcut */

const known = new Store(/** @type {Shortcut[]} */ ([]));
const helpShown = new Store(false);
const SEQUENCE_TIME = 1200;
let first = "";
let firstAt = 0;

/** Tell whether a key means something where it is pressed. @param {KeyboardEvent} event */
function isTyping({ target, key }) {
  if (target instanceof HTMLInputElement) return !["checkbox", "radio"].includes(target.type);
  if (target instanceof HTMLSelectElement) return /^[\w ]$/.test(key); // looks for an option
  return target instanceof HTMLTextAreaElement;
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isTyping(event) || document.querySelector("dialog[open]")) return;
  const keys = first && Date.now() - firstAt < SEQUENCE_TIME ? `${first} ${event.key}` : event.key;
  first = keys === "g" ? "g" : "";
  firstAt = Date.now();
  const shortcut = known.value.findLast((candidate) => candidate.keys === keys);
  if (!shortcut) return;
  event.preventDefault();
  shortcut.run(event);
}

addEventListener("keydown", pressed);

/**
 * Know a shortcut for as long as a view is rendered.
 * @param {string} keys as `KeyboardEvent.key`, or two with a blank
 * @param {string} does
 * @param {(event: KeyboardEvent) => void} run
 */
export function useShortcut(keys, does, run) {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    const shortcut = { keys, does, run: (/** @type {KeyboardEvent} */ event) => latest.current(event) };
    known.set([...known.value, shortcut]);
    return () => known.set(known.value.filter((other) => other !== shortcut));
  }, [keys, does]);
}

export function showShortcuts() {
  helpShown.set(true);
}

/** The place of the list of shortcuts, which `?` opens. */
export function ShortcutHelp() {
  useShortcut("?", "show these shortcuts", showShortcuts);
  const shortcuts = useStore(known);
  if (!useStore(helpShown)) return null;
  const close = () => helpShown.set(false);
  return html`<${Dialog} title="Keyboard shortcuts" onClose=${close}>
    <dl class="shortcuts">
      ${shortcuts.map(
        ({ keys, does }) => html`
          <dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt>
          <dd>${does}</dd>
        `,
      )}
      <dt><kbd>Tab</kbd> <kbd>Enter</kbd> <kbd>Esc</kbd></dt>
      <dd>reach, use and leave everything else</dd>
    </dl>
    <div class="actions"><button class="button primary" onClick=${close}>Close</button></div>
  <//>`;
}

/** What is said in passing: to everybody in a corner, and to screen readers alone. */

import { Icon } from "./icons.js";
import { html } from "./html.js";
import { Store, useStore } from "./store.js";

const SHOWN_FOR = 6000;

/** @typedef {{id: number, text: string, action?: {label: string, run: () => void}}} Toast */

const toasts = new Store(/** @type {Toast[]} */ ([]));
const spoken = new Store("");
let last = 0;

/** @param {number} id */
function dismiss(id) {
  toasts.set(toasts.value.filter((toast) => toast.id !== id));
}

/**
 * Show and speak a line for a few seconds.
 * @param {string} text
 * @param {{label: string, run: () => void}} [action]
 */
export function tell(text, action) {
  const id = ++last;
  toasts.set([...toasts.value.slice(-2), { id, text, action }]);
  speak(text);
  setTimeout(() => dismiss(id), SHOWN_FOR);
}

/** Speak a line to screen readers. @param {string} text */
export function speak(text) {
  spoken.set(spoken.value === text ? `${text}\u00a0` : text); // the same line twice is spoken twice
}

/** The place of all that is said; it is there from the start, as screen readers want it. */
export function Announcements() {
  const shown = useStore(toasts);
  const line = useStore(spoken);
  return html`
    <div class="unseen" role="status" aria-live="polite" id="spoken">${line}</div>
    <section class="toasts" aria-label="Messages">
      ${shown.map(
        (toast) => html`<div class="toast" key=${toast.id}>
          <span>${toast.text}</span>
          ${
            toast.action &&
            html`<button
            class="button plain tight"
            onClick=${() => {
              dismiss(toast.id);
              toast.action?.run();
            }}
          >
            ${toast.action.label}
          </button>`
          }
          <button class="button plain icon tight" aria-label="Dismiss" onClick=${() => dismiss(toast.id)}>
            <${Icon} name="close" />
          </button>
        </div>`,
      )}
    </section>
  `;
}

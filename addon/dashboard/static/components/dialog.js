/** Modal dialogs on the browser's own element, which keeps the focus inside and closes on Escape. */

import { html, useEffect, useId, useRef } from "../html.js";
import { Store, useStore } from "../store.js";

/**
 * A dialog that is open for as long as it is rendered.
 * @param {{title: string, onClose: () => void, children: any}} props
 */
export function Dialog({ title, onClose, children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const heading = useId();
  useEffect(() => {
    element.current?.showModal();
  }, []);
  const outside = (/** @type {MouseEvent} */ event) => {
    if (event.target === element.current) onClose();
  };
  return html`<dialog ref=${element} aria-labelledby=${heading} onClose=${onClose} onMouseDown=${outside}>
    <h2 id=${heading}>${title}</h2>
    ${children}
  </dialog>`;
}

/** @typedef {{title: string, text: string, action: string, answer: (sure: boolean) => void}} Question */

const question = new Store(/** @type {Question | null} */ (null));

/**
 * Ask before something is done that cannot be undone.
 * @param {{title: string, text: string, action: string}} asked
 * @returns {Promise<boolean>}
 */
export function confirm(asked) {
  return new Promise((resolve) => {
    question.set({
      ...asked,
      answer: (sure) => {
        question.set(null);
        resolve(sure);
      },
    });
  });
}

/** The place of the question that `confirm` asks. */
export function Confirmation() {
  const asked = useStore(question);
  if (!asked) return null;
  return html`<${Dialog} title=${asked.title} onClose=${() => asked.answer(false)}>
    <p>${asked.text}</p>
    <div class="actions">
      <button class="button" onClick=${() => asked.answer(false)}>Cancel</button>
      <button class="button primary" onClick=${() => asked.answer(true)}>${asked.action}</button>
    </div>
  <//>`;
}

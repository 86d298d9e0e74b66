/** What went wrong with a call of the API, and what to do. */

import { html } from "../html.js";
import { marked } from "./words.js";

/** @param {{error: any, retry?: () => void}} props */
export function Failure({ error, retry }) {
  if (!error) return null;
  return html`<div class="notice" data-tone="bad" role="alert">
    <span>${marked(error.message)} ${error.remedy && html`<span class="quiet">${marked(error.remedy)}</span>`}</span>
    ${retry && html`<button class="button tight push" onClick=${retry}>Try again</button>`}
  </div>`;
}

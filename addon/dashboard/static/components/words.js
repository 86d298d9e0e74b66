/** Sentences of the server, in which `names` stand between backticks. */

import { html } from "../html.js";

/** @param {string} text @returns {any} */
export function marked(text) {
  return text.split("`").map((piece, index) => (index % 2 ? html`<code>${piece}</code>` : piece));
}

/** A command to copy. */

import { speak } from "../announcing.js";
import { html, useRef, useState } from "../html.js";
import { Icon } from "../icons.js";

/** @param {{text: string}} props */
export function Command({ text }) {
  const [copied, setCopied] = useState(false);
  const code = useRef(/** @type {HTMLElement | null} */ (null));
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      speak("Copied");
      setTimeout(() => setCopied(false), 1500);
    } catch {
      getSelection()?.selectAllChildren(/** @type {HTMLElement} */ (code.current)); // to copy by hand
    }
  };
  return html`<div class="command">
    <code ref=${code}>${text}</code>
    <button class="button plain icon tight" aria-label="Copy the command" onClick=${copy}>
      <${Icon} name=${copied ? "check" : "copy"} />
    </button>
  </div>`;
}

/** The dashboard: draws the shell and opens the stream of events. */

import { html, render } from "./html.js";
import { Shell } from "./shell.js";
import { start } from "./stream.js";

render(html`<${Shell} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
start();

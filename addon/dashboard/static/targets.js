/** What calls can be sent to: `provider:model`, `pass` or `block`. */

import { read } from "./api.js";
import { Store } from "./store.js";
import { listen } from "./stream.js";

/**
 * @typedef {{value: string, label: string, context: number | null, input_price: number | null, output_price: number | null}} Target
 * @typedef {{provider: string, name: string, usable: boolean, reason: string | null, targets: Target[]}} Group
 */

/** Null until they are known. */
export const targets = new Store(
  /** @type {{verdicts: {value: string, label: string}[], groups: Group[]} | null} */ (null),
);

export async function readTargets() {
  try {
    targets.set(await read("targets"));
  } catch {
    // drop-downs keep what they have; the page itself tells that the server does not answer
  }
}

for (const kind of /** @type {const} */ (["rules", "keys", "healed", "reset"])) {
  listen(kind, () => {
    if (targets.value) readTargets();
  });
}

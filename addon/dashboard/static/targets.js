/** What calls can be sent to: `provider:model`, `pass` or `block`. */

import { tell } from "./announcing.js";
import { read } from "./api.js";
import { counted } from "./formatting.js";
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

/** Whether the providers are being asked for their lists. */
export const askingProviders = new Store(false);

export async function readTargets(ask = false) {
  try {
    targets.set(await read("targets", ask ? { ask: "true" } : {}));
  } catch {
    // drop-downs keep what they have; the page itself tells that the server does not answer
  }
}

/** Have the server ask all providers, and the model servers of its machine, what they offer. */
export async function askProviders() {
  askingProviders.set(true);
  const count = () => targets.value?.groups.reduce((sum, group) => sum + group.targets.length, 0) ?? 0;
  const before = count();
  await readTargets(true);
  askingProviders.set(false);
  tell(
    count() > before
      ? `${counted(count() - before, "more model")} to choose from.`
      : "They offer no other models.",
  );
}

for (const kind of /** @type {const} */ (["rules", "keys", "healed", "reset"])) {
  listen(kind, () => {
    if (targets.value) readTargets();
  });
}

/** Setting and removing a provider's key. It is sent once, and never comes back. */

import { tell } from "../../announcing.js";
import { write } from "../../api.js";
import { confirm } from "../../components/dialog.js";
import { Form, TextField } from "../../components/form.js";
import { html, useState } from "../../html.js";
import { at } from "./addresses.js";

/** @param {{provider: any, onDone: () => void, onCancel: () => void}} props */
export function KeyForm({ provider, onDone, onCancel }) {
  const [key, setKey] = useState("");
  const { id, name, stored, key_variables: variables } = provider;
  const save = async () => {
    const { note } = await write("PUT", at(id, "key"), { key: key.trim() });
    setKey("");
    tell(note ?? `The key of ${name} is kept, encrypted.`);
    onDone();
  };
  const remove = async () => {
    const asked = {
      title: `Remove the key of ${name}?`,
      text: "It leaves the key store. A variable that holds one is not touched.",
      action: "Remove the key",
    };
    if (!(await confirm(asked))) return;
    await write("DELETE", at(id, "key"), {});
    tell(`The stored key of ${name} is removed.`);
    onDone();
  };
  const usual = variables.length
    ? html` Or set <code>${variables[0]}</code> in the environment of Detour.`
    : "";
  return html`<${Form} label=${`Key of ${name}`} submit="Keep the key" onSubmit=${save} onCancel=${onCancel}
    more=${
      stored &&
      html`<button type="button" class="button danger push"
        onClick=${remove}>Remove the stored key</button>`
    }>
    <${TextField} label=${`Key of ${name}`} path="key" type="password" mono focus value=${key}
        onChange=${setKey}
      hint=${html`Kept encrypted in Detour's home folder, and never shown again.${usual}`} />
  <//>`;
}

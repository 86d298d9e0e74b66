/** The form of a provider: one of your own, or what is different about a built-in one. */

import { Choices, Pairs, Segments, Values } from "../../components/choices.js";
import { Form, SelectField, TextField } from "../../components/form.js";
import { html, useState } from "../../html.js";
import { choices, example, hint, useSchema } from "../../schema.js";
import { changes, TIMEOUTS, toDraft } from "./draft.js";

const TIMEOUT_NAMES = {
  connect: "Connect",
  first_byte: "First byte",
  idle: "Between pieces",
  total: "Whole call",
};

/** Options that are shown as they are. @param {string[]} words */
const named = (words) => Object.fromEntries(words.map((word) => [word, word]));

function AddressFields({ schema, draft, provider, put }) {
  const formats = choices(schema, "formats");
  const placeholder = provider?.base_url || provider?.base_url_example || example(schema, "base_url");
  const urls = draft.base_urls;
  return html`<div class="stack">
    <div class="row">
      <h3>Address</h3>
      <${Segments} label="One address or one for each format" value=${draft.byFormat ? "each" : "one"}
        options=${{ one: "One address", each: "One for each format" }} onChange=${(mode) => put({ byFormat: mode === "each" })} />
    </div>
    ${
      draft.byFormat
        ? html`<div class="fields">
          ${formats.map(
            (format) => html`<${TextField} label=${format} path=${`base_url.${format}`} type="url" mono
                value=${urls[format] ?? ""}
              placeholder=${provider?.base_urls[format] ?? "not offered"} onChange=${(url) => put({ base_urls: { ...urls, [format]: url } })} />`,
          )}
        </div>`
        : html`<${TextField} label="Base URL" path="base_url" type="url" mono value=${draft.base_url}
          placeholder=${placeholder}
            hint=${hint(schema, "base_url")} onChange=${(base_url) => put({ base_url })} />
          <${Choices} label="Formats" path="formats" hint=${hint(schema, "formats")} options=${formats}
              chosen=${draft.formats}
            onChange=${(value) => put({ formats: value })} />`
    }
  </div>`;
}

function MoreFields({ schema, draft, provider, builtIn, put }) {
  const regions = provider?.regions ?? [];
  const timeouts = draft.timeouts;
  const limit = draft.concurrency;
  return html`<details class="fold">
    <summary>More: key variable, headers, timeouts, concurrency</summary>
    <div class="fold-body stack">
      <div class="fields">
        <${TextField} label="Where the key comes from" path="api_key" mono value=${draft.api_key}
            placeholder="its variable, or the key store"
          hint=${hint(schema, "api_key")} onChange=${(api_key) => put({ api_key })} />
        ${
          regions.length > 0 &&
          html`<${SelectField} label="Region" path="region" value=${draft.region} hint=${hint(schema, "region")}
          options=${{ "": "the usual one", ...named(regions) }} onChange=${(region) => put({ region })} />`
        }
        <${SelectField} label="Habits shared with" path="dialect" value=${draft.dialect}
            hint=${hint(schema, "dialect")}
          options=${{ "": "nobody in particular", ...named(builtIn) }} onChange=${(dialect) => put({ dialect })} />
        <${TextField} label="API version" path="api_version" mono value=${draft.api_version}
            placeholder="none"
          hint=${hint(schema, "api_version")} onChange=${(api_version) => put({ api_version })} />
      </div>
      <${Pairs} label="Headers" path="headers" hint=${hint(schema, "headers")} pairs=${draft.headers}
          names=${["header", "value"]}
        add="Add a header" onChange=${(headers) => put({ headers })} />
      <div class="fields narrow">
        ${Object.entries(TIMEOUT_NAMES).map(
          ([key, name]) => html`<${TextField} label=${`${name}, seconds`} path=${`timeouts.${key}`}
              type="number" placeholder=${TIMEOUTS[key]}
            value=${timeouts[key]} onChange=${(value) => put({ timeouts: { ...timeouts, [key]: value } })} />`,
        )}
        <${TextField} label="Calls at a time" path="concurrency.running" type="number" placeholder="any"
            value=${limit.running}
          onChange=${(running) => put({ concurrency: { ...limit, running } })} />
        <${TextField} label="Calls that wait" path="concurrency.waiting" type="number" placeholder="100"
            value=${limit.waiting}
          onChange=${(waiting) => put({ concurrency: { ...limit, waiting } })} />
      </div>
    </div>
  </details>`;
}

/**
 * @param {{
 *   provider?: any, builtIn: string[], onSave: (settings: any, keep: boolean) => Promise<any>, onCancel: () => void,
 *   onReload: () => void,
 * }} props without `provider` it is for a new one, whose settings hold its `id`
 */
export function ProviderForm({ provider, builtIn, onSave, onCancel, onReload }) {
  const schema = useSchema("provider");
  const [before] = useState(() => toDraft(provider?.settings));
  const [draft, setDraft] = useState(before);
  const put = (/** @type {any} */ given) => setDraft((now) => ({ ...now, ...given }));
  const save = async (/** @type {boolean} */ keep) => {
    const changed = changes(draft, before);
    if (provider) return onSave(changed, keep);
    const given = Object.entries(changed).filter(([, value]) => value !== null);
    return onSave({ id: draft.id.trim(), ...Object.fromEntries(given) }, keep);
  };
  return html`<${Form} label=${provider ? `Edit ${provider.name}` : "New provider"}
      submit=${provider ? "Save" : "Add the provider"}
    onSubmit=${save} onCancel=${onCancel} onReload=${onReload}>
    <div class="fields">
      ${
        !provider &&
        html`<${TextField} label="Id" path="id" mono focus value=${draft.id} onChange=${(id) => put({ id })}
          placeholder="office"
        hint="Its name in rules.yaml, as in office:qwen3-coder." />`
      }
      <${TextField} label="Title" path="title" focus=${Boolean(provider)} value=${draft.title}
          onChange=${(title) => put({ title })}
        placeholder=${provider?.name ?? "Our vLLM"} hint=${hint(schema, "title")} />
      ${
        !provider &&
        html`<${Values} label="Models" path="models" values=${draft.models}
          onChange=${(models) => put({ models })} placeholder="qwen3-coder"
        hint="What it offers, the one to try first at the head. Others can be used as well." />`
      }
    </div>
    <${AddressFields} schema=${schema} draft=${draft} provider=${provider} put=${put} />
    <${MoreFields} schema=${schema} draft=${draft} provider=${provider} builtIn=${builtIn} put=${put} />
  <//>`;
}

/** The models of a provider: listed, added, changed, and which one is tried first. */

import { tell } from "../../announcing.js";
import { Choices } from "../../components/choices.js";
import { confirm } from "../../components/dialog.js";
import { Form, TextField } from "../../components/form.js";
import { compact, NOTHING } from "../../formatting.js";
import { html, useState } from "../../html.js";
import { Icon } from "../../icons.js";
import { at } from "./addresses.js";

const FEATURES = ["tools", "images", "files", "json_schema", "reasoning"];
const PRICES = {
  input: "Input",
  output: "Output",
  cache_read: "Read from cache",
  cache_write: "Written to cache",
};

/** @param {any} provider @param {any} [model] */
function toDraft(provider, model) {
  const entries = [provider.settings?.models ?? []].flat();
  const said = entries.find((entry) => entry.id === model?.id) ?? {};
  const text = (/** @type {any} */ value) => (value == null ? "" : String(value));
  return {
    id: model?.id ?? "",
    title: text(said.title),
    context: text(said.context),
    max_output: text(said.max_output),
    features: said.features ?? [],
    price: Object.fromEntries(Object.keys(PRICES).map((key) => [key, text(said.price?.[key])])),
  };
}

/** @param {string} typed */
const number = (typed) => (Number.isNaN(Number(typed)) ? typed : Number(typed));

/** @param {ReturnType<typeof toDraft>} draft */
function fromDraft({ title, context, max_output, features, price }) {
  const prices = Object.entries(price).filter(([, typed]) => typed);
  return {
    title: title.trim() || null,
    context: context ? number(context) : null,
    max_output: max_output ? number(max_output) : null,
    features: features.length ? features : null,
    price: prices.length ? Object.fromEntries(prices.map(([key, typed]) => [key, number(typed)])) : null,
  };
}

function ModelForm({ file, provider, model, done }) {
  const [draft, setDraft] = useState(() => toDraft(provider, model));
  const [base] = useState(file.state.value.data);
  const put = (/** @type {string} */ key) => (/** @type {any} */ value) =>
    setDraft({ ...draft, [key]: value });
  const save = async (/** @type {boolean} */ keep) => {
    const said = fromDraft(draft);
    const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null));
    const edit = () =>
      model
        ? /** @type {const} */ ({ method: "PATCH", path: at(provider.id, "models", model.id), body: said })
        : /** @type {const} */ ({
            method: "POST",
            path: at(provider.id, "models"),
            body: { id: draft.id.trim(), ...given },
          });
    await file.edit(edit, { base, keep });
    tell(`${model?.id ?? draft.id} is saved.`);
    done();
  };
  const reload = () => {
    done();
    file.reload();
  };
  return html`<div class="inset"><${Form} label=${model ? `Edit ${model.id}` : "New model"}
      submit=${model ? "Save" : "Add the model"} onSubmit=${save} onCancel=${done} onReload=${reload}>
    <div class="fields narrow">
      ${
        !model &&
        html`<${TextField} label="Id" path="id" mono focus value=${draft.id} onChange=${put("id")}
          placeholder="qwen3-coder" hint="The provider's name of it." />`
      }
      <${TextField} label="Title" path="title" focus=${Boolean(model)} value=${draft.title}
          onChange=${put("title")} placeholder=${model?.name ?? "Qwen Coder"} />
      <${TextField} label="Context, tokens" path="context" type="number" value=${draft.context}
          onChange=${put("context")} placeholder=${model?.context ?? "unknown"} />
      <${TextField} label="Most output, tokens" path="max_output" type="number" value=${draft.max_output}
          onChange=${put("max_output")} placeholder=${model?.max_output ?? "unknown"} />
    </div>
    <${Choices} label="What it can do" path="features" options=${FEATURES} chosen=${draft.features}
        onChange=${put("features")} hint="All of it, where anything is ticked." />
    <fieldset>
      <legend class="label">Price in US dollars for a million tokens</legend>
      <div class="fields narrow">
        ${Object.entries(PRICES).map(
          ([key, label]) => html`<${TextField} label=${label} path=${`price.${key}`} type="number"
              value=${draft.price[key]} placeholder="unknown"
            onChange=${(value) => put("price")({ ...draft.price, [key]: value })} />`,
        )}
      </div>
    </fieldset>
  <//></div>`;
}

function ModelRow({ file, provider, model, onEdit }) {
  const { id, name, context, input_price: input, output_price: output, ends } = model;
  const setDefault = () =>
    file.editNow(() => ({ method: "PUT", path: at(provider.id, "default-model"), body: { model: id } }));
  const remove = async () => {
    const asked = {
      title: `Remove ${id}?`,
      text: `It leaves the list of ${provider.name}. Rules that name it still work.`,
      action: "Remove the model",
    };
    if (await confirm(asked))
      await file.editNow(() => ({ method: "DELETE", path: at(provider.id, "models", id) }));
  };
  return html`<tr>
    <th scope="row"><code>${id}</code>${name !== id && html`<br /><span class="quiet small">${name}</span>`}${ends && html`<br /><span class="warn small">ends ${ends}</span>`}</th>
    <td class="number">${context ? compact(context) : NOTHING}</td>
    <td class="number">${input == null ? "unknown" : `$${input} / $${output}`}</td>
    <td>
      <div class="row model-tools">
        ${
          model.default
            ? html`<span class="state" data-tone="good">tried first</span>`
            : html`<button class="button tight" onClick=${setDefault}
              aria-label=${`Try first: ${id}`}>Try first</button>`
        }
        <button class="button plain icon tight" aria-label=${`Edit ${id}`}
            onClick=${onEdit}><${Icon} name="edit" /></button>
        <button class="button plain icon tight" aria-label=${`Remove ${id}`}
            onClick=${remove}><${Icon} name="trash" /></button>
      </div>
    </td>
  </tr>`;
}

/** @param {{file: import("../../edited.js").Edited, provider: any}} props */
export function ModelsPanel({ file, provider }) {
  const [editing, setEditing] = useState("");
  const done = () => setEditing("");
  const { models } = provider;
  return html`<div class="stack">
    ${
      models.length > 0
        ? html`<div class="table-frame"><table class="stacks">
          <caption class="unseen">Models of ${provider.name}</caption>
          <thead><tr><th scope="col">Model</th><th scope="col" class="number">Context</th><th scope="col"
              class="number">In / out per million</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
          <tbody>
            ${models.map((model) => [
              html`<${ModelRow} key=${model.id} file=${file} provider=${provider} model=${model}
                  onEdit=${() => setEditing(model.id)} />`,
              editing === model.id &&
                html`<tr key="${model.id} edited"><td colspan="4"><${ModelForm} file=${file}
                    provider=${provider} model=${model} done=${done} /></td></tr>`,
            ])}
          </tbody>
        </table></div>`
        : html`<p class="quiet">No models are listed. Any name works after the colon; those listed here are offered in drop-downs.</p>`
    }
    ${
      editing === "\u0000new"
        ? html`<${ModelForm} file=${file} provider=${provider} done=${done} />`
        : html`<div><button class="button tight"
          onClick=${() => setEditing("\u0000new")}><${Icon} name="plus" />Add a model</button></div>`
    }
  </div>`;
}

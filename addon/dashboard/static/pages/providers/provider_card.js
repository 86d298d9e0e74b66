/** One provider: whether it can be used, where it is, its key, and what can be done with it. */

import { speak, tell } from "../../announcing.js";
import { write } from "../../api.js";
import { confirm } from "../../components/dialog.js";
import { useFocusReturn } from "../../components/focus.js";
import { marked } from "../../components/words.js";
import { counted, duration } from "../../formatting.js";
import { html, useEffect, useRef, useState } from "../../html.js";
import { Icon } from "../../icons.js";
import { link } from "../../router.js";
import { Store } from "../../store.js";
import { KeyForm } from "./key_form.js";
import { ModelsPanel } from "./models_panel.js";
import { ProviderForm } from "./provider_form.js";
import { at } from "./addresses.js";

function State({ provider }) {
  if (!provider.enabled) return html`<span class="state" data-tone="quiet">switched off</span>`;
  if (provider.usable) return html`<span class="state" data-tone="good">ready</span>`;
  const missing = !provider.base_url ? "no address" : !provider.key ? "no key" : "not usable";
  return html`<span class="state" data-tone=${provider.used_by.length ? "warn" : "quiet"}
      title=${provider.reason}>${missing}</span>`;
}

function Key({ provider: { key } }) {
  if (!key) return html`<span class="quiet">none yet</span>`;
  if (key.source === "none") return "none needed";
  if (key.source === "the agent") return "the agent's own";
  return html`<code>${key.masked}</code> <span class="quiet">from ${key.source}</span>`;
}

/** What `verify` found, in the provider's own words. */
function Verdicts({ verdicts }) {
  return html`<ul class="verdicts" aria-label="What the provider answered">
    ${verdicts.map(
      ({ format, model, ok, status, seconds, message }) => html`<li>
        <span class="state" data-tone=${ok ? "good" : "bad"}>${ok ? "works" : "failed"}</span>
        <span><code>${format}</code> ${model && html`<span class="quiet">${model}</span>`}</span>
        <span class="number">${seconds == null ? "" : duration(seconds * 1000)}${status && !ok ? ` · ${status}` : ""}</span>
        ${message && html`<span class="words">${marked(message)}</span>`}
      </li>`,
    )}
  </ul>`;
}

/** @param {any} provider @returns {[string, string][]} */
function addresses({ base_urls: urls, base_url_example: example }) {
  const found = Object.entries(urls);
  return found.length ? found : [["needs an address", example]];
}

function Panel({ panel, file, provider, builtIn, done }) {
  const [base] = useState(file.state.value.data);
  const save = async (/** @type {any} */ settings, /** @type {boolean} */ keep) => {
    if (Object.keys(settings).length)
      await file.edit(() => ({ method: "PATCH", path: at(provider.id), body: settings }), { base, keep });
    done();
    tell(`${provider.name} is saved.`);
  };
  const reload = () => {
    done();
    file.reload();
  };
  if (panel === "key")
    return html`<${KeyForm} provider=${provider} onDone=${() => {
      done();
      file.load();
    }}
      onCancel=${done} />`;
  if (panel === "models") return html`<${ModelsPanel} file=${file} provider=${provider} />`;
  return html`<${ProviderForm} provider=${provider} builtIn=${builtIn} onSave=${save} onCancel=${done}
      onReload=${reload} />`;
}

/**
 * @param {{file: import("../../edited.js").Edited, provider: any, builtIn: string[], all: Store<number>}} props
 *   `all`: changes when all usable providers are to be verified
 */
export function ProviderCard({ file, provider, builtIn, all }) {
  const { id, name, builtin, enabled, models, settings, used_by: rules } = provider;
  const [panel, setPanel] = useState("");
  const [verdicts, setVerdicts] = useState(/** @type {any[] | null} */ (null));
  const [asking, setAsking] = useState(false);
  const card = useRef(/** @type {HTMLElement | null} */ (null));
  useFocusReturn(panel, (was) => card.current?.querySelector(`[data-panel="${was}"]`));
  const toggle = (/** @type {string} */ wanted) => () => setPanel(panel === wanted ? "" : wanted);

  const verify = async () => {
    setAsking(true);
    try {
      const { verdicts: found } = await write("POST", at(id, "verify"), {});
      setVerdicts(found);
      speak(found.every((verdict) => verdict.ok) ? `${name} works.` : `${name} does not work.`);
    } catch (error) {
      setVerdicts([
        {
          format: "",
          model: "",
          ok: false,
          status: null,
          seconds: null,
          message: `${error.message} ${error.remedy ?? ""}`,
        },
      ]);
    } finally {
      setAsking(false);
    }
  };
  useEffect(() => all.follow(() => provider.usable && verify()), [all, provider.usable]);
  const remove = async () => {
    const asked = builtin
      ? {
          title: `Reset ${name}?`,
          text: "What rules.yaml says of it is removed, and it is as it came.",
          action: "Reset",
        }
      : {
          title: `Remove ${name}?`,
          text: "It leaves rules.yaml. A key in the key store stays there.",
          action: "Remove the provider",
        };
    if ((await confirm(asked)) && (await file.editNow(() => ({ method: "DELETE", path: at(id) }))))
      tell(`${name} is ${builtin ? "as it came" : "removed"}.`);
  };
  const switchTo = (/** @type {boolean} */ on) =>
    file.editNow(() => ({ method: "PATCH", path: at(id), body: { enabled: on } }));
  const button = (/** @type {string} */ wanted, /** @type {any} */ words) =>
    html`<button class="button tight" data-panel=${wanted} aria-expanded=${panel === wanted}
        onClick=${toggle(wanted)}>${words}</button>`;
  return html`<article class="card provider" ref=${card} data-provider=${id} aria-labelledby="provider-${id}">
    <div class="provider-head">
      <div class="provider-name">
        <h2 id="provider-${id}">${name}</h2>
        <div class="row small"><code class="quiet">${id}</code> <${State} provider=${provider} />
          ${rules.length > 0 && html`<a href=${link("rules", { rule: rules[0] })}>used by ${counted(rules.length, "rule")}</a>`}</div>
      </div>
      <input type="checkbox" role="switch" class="switch" aria-label=${`Calls may go to ${name}`}
          checked=${enabled}
        onChange=${(event) => switchTo(event.target.checked)} />
    </div>
    <dl class="provider-facts">
      ${addresses(provider).map(([format, url]) => html`<dt>${format}</dt><dd><code>${url}</code></dd>`)}
      <dt>key</dt><dd><${Key} provider=${provider} /></dd>
      <dt>tried first</dt><dd>${provider.default_model ? html`<code>${provider.default_model}</code>` : html`<span class="quiet">no model listed</span>`}</dd>
    </dl>
    ${!provider.usable && rules.length > 0 && html`<p class="small quiet reason">${marked(provider.reason ?? "")}</p>`}
    <div class="row provider-tools">
      <button class="button tight" disabled=${asking}
          onClick=${verify}>${asking ? "Asking …" : "Verify"}</button>
      ${button("key", html`<${Icon} name="key" />${provider.key ? "Key" : "Set key"}`)}
      ${button("models", counted(models.length, "model"))}
      ${button("edit", "Edit")}
      ${
        settings &&
        html`<button class="button plain tight push"
          onClick=${remove}>${builtin ? "Reset" : "Remove"}</button>`
      }
    </div>
    <div aria-live="polite">${verdicts && html`<${Verdicts} verdicts=${verdicts} />`}</div>
    ${
      panel &&
      html`<div class="body provider-panel"><${Panel} key=${panel} panel=${panel} file=${file}
        provider=${provider} builtIn=${builtIn} done=${() => setPanel("")} /></div>`
    }
  </article>`;
}

/** Providers: who can answer calls. */

import { tell } from "../../announcing.js";
import { Failure } from "../../components/failure.js";
import { useFocusReturn } from "../../components/focus.js";
import { Conflict, useEdited } from "../../edited.js";
import { html, useMemo, useRef, useState } from "../../html.js";
import { Icon } from "../../icons.js";
import { useShortcut } from "../../shortcuts.js";
import { Store, useStore } from "../../store.js";
import { ProviderCard } from "./provider_card.js";
import { ProviderForm } from "./provider_form.js";

function NewProvider({ file, builtIn, done }) {
  const [base] = useState(file.state.value.data);
  const save = async (/** @type {any} */ settings, /** @type {boolean} */ keep) => {
    await file.edit(() => ({ method: "POST", path: "providers", body: settings }), { base, keep });
    done();
    tell(`${settings.title ?? settings.id} is added. Give it a key, and verify it.`);
  };
  const reload = () => {
    done();
    file.reload();
  };
  return html`<section class="card" aria-labelledby="new-provider">
    <div class="head"><h2 id="new-provider">New provider</h2>
      <span class="quiet small">Any server that speaks one of the four formats: vLLM, a gateway, a proxy of your own.</span></div>
    <div class="body"><${ProviderForm} builtIn=${builtIn} onSave=${save} onCancel=${done}
        onReload=${reload} /></div>
  </section>`;
}

function Group({ title, providers, file, builtIn, all }) {
  if (!providers.length) return null;
  return html`<section class="stack">
    <h2 class="group-title">${title} <span class="quiet">${providers.length}</span></h2>
    <div class="providers">
      ${providers.map(
        (provider) => html`<${ProviderCard} key=${provider.id} file=${file} provider=${provider}
          builtIn=${builtIn} all=${all} />`,
      )}
    </div>
  </section>`;
}

export function Page() {
  const file = useEdited("providers");
  const { data, error, conflict } = useStore(file.state);
  const [adding, setAdding] = useState(false);
  const all = useMemo(() => new Store(0), []);
  const adder = useRef(/** @type {HTMLElement | null} */ (null));
  useFocusReturn(adding ? "new" : "", () => adder.current);
  useShortcut("n", "new provider", () => setAdding(true));
  const providers = data?.providers ?? [];
  const builtIn = providers.filter((provider) => provider.builtin).map((provider) => provider.id);
  // One's own stay on top while they are being set up, and so do those that rules send calls to.
  const first = providers.filter(
    (provider) => provider.usable || !provider.builtin || provider.used_by.length,
  );
  return html`
    <div class="page-head">
      <div>
        <h1>Providers</h1>
        <p class="lead">Who can answer calls, where, and with which key.</p>
      </div>
      <button class="button push" onClick=${() => all.set(all.value + 1)}>Verify all</button>
      <button class="button primary" ref=${adder}
          onClick=${() => setAdding(true)}><${Icon} name="plus" />New provider</button>
    </div>
    <div class="stack">
      ${conflict && html`<${Conflict} onReload=${() => file.reload()} onKeep=${conflict} />`}
      <${Failure} error=${error} />
      ${
        adding &&
        data &&
        html`<${NewProvider} file=${file} builtIn=${builtIn}
          done=${() => setAdding(false)} />`
      }
      <${Group} title="In use" providers=${first} file=${file} builtIn=${builtIn} all=${all} />
      <${Group} title="Also known" providers=${providers.filter((provider) => !first.includes(provider))}
          file=${file} builtIn=${builtIn} all=${all} />
      ${
        data &&
        Object.keys(data.not_yet).length > 0 &&
        html`<p class="quiet small">Not yet: ${Object.entries(data.not_yet)
          .map(([id, words]) => `${id} (${words})`)
          .join(", ")}.</p>`
      }
    </div>
  `;
}

/** The form of one rule: everything that an entry under `rules` can say. */

import { Choices, Pairs, Segments, Values } from "../../components/choices.js";
import { Field, Form, TextField } from "../../components/form.js";
import { ChainChoice } from "../../components/target_choice.js";
import { html, useState } from "../../html.js";
import { choices, example, hint, useSchema } from "../../schema.js";
import { useStore } from "../../store.js";
import { targets } from "../../targets.js";
import { fromDraft, toDraft } from "./draft.js";
import { LimitFields } from "./limit_fields.js";

/** What goes on to the next target unless a rule says otherwise. */
const PASSING = [
  "connect",
  "timeout",
  "cut",
  "conflict",
  "rate_limit",
  "overloaded",
  "server_error",
  "quota",
];
const WHEN_WORDS = { agent: "Agent", model: "Model", provider: "Provider called" };
const WHEN_CHOICES = { endpoint: "Endpoint", has: "The request has", phase: "Phase" };

function WhenFields({ schema, when, onChange }) {
  const put = (/** @type {string} */ key) => (/** @type {any} */ value) =>
    onChange({ ...when, [key]: value });
  const providers = useStore(targets)?.groups.map(({ provider }) => provider) ?? [];
  return html`<section class="stack">
    <h3>When all of this holds</h3>
    <div class="fields">
      ${Object.entries(WHEN_WORDS).map(
        ([key, label]) => html`<${Values} label=${label} path=${`when.${key}`}
            hint=${hint(schema, `when.${key}`)}
          placeholder=${`any, or ${example(schema, `when.${key}`)}`} values=${when[key]} onChange=${put(key)}
          suggestions=${key === "provider" ? providers : []} />`,
      )}
      <${TextField} label="Length in tokens" path="when.input_tokens" mono
          hint=${hint(schema, "when.input_tokens")}
        placeholder=${`any, or ${example(schema, "when.input_tokens")}`} value=${when.input_tokens} onChange=${put("input_tokens")} />
    </div>
    ${Object.entries(WHEN_CHOICES).map(
      ([key, label]) => html`<${Choices} label=${label} path=${`when.${key}`}
          hint=${hint(schema, `when.${key}`)}
        options=${choices(schema, `when.${key}`)} chosen=${when[key]} onChange=${put(key)} />`,
    )}
    <div class="fields">
      <${Pairs} label="Headers" path="when.header" hint=${hint(schema, "when.header")} pairs=${when.header}
        names=${["header", "glob for its value"]} add="Add a header" onChange=${put("header")} />
      <${TextField} label="mitmproxy filter" path="when.filter" mono
          hint="A filter expression of mitmproxy, such as ~hq x-debug."
        placeholder="none" value=${when.filter} onChange=${put("filter")} />
    </div>
  </section>`;
}

function UseFields({ schema, draft, onChange }) {
  const { byPhase, chain, phases } = draft;
  const known = choices(schema, "when.phase");
  const put = (/** @type {string} */ phase) => (/** @type {string[]} */ value) => {
    const { [phase]: _gone, ...rest } = phases;
    onChange({ phases: value.length ? { ...phases, [phase]: value } : rest });
  };
  const change = (/** @type {string} */ mode) =>
    onChange(
      mode === "phases"
        ? { byPhase: true, phases: Object.keys(phases).length ? phases : { other: chain } }
        : { byPhase: false, chain: chain.length ? chain : (phases.other ?? Object.values(phases)[0] ?? []) },
    );
  return html`<section class="stack">
    <div class="row">
      <h3>Send the call to</h3>
      <${Segments} label="One target or one for each phase" value=${byPhase ? "phases" : "chain"}
          onChange=${change}
        options=${{ chain: "One for all", phases: "One for each phase" }} />
    </div>
    ${
      byPhase
        ? known.map(
            (phase) => html`<${Field} label=${phase === "other" ? "other (all the rest)" : phase}
              path=${`use.${phase}`} group>
            ${(given) => html`<${ChainChoice} label=${`Target for ${phase}`} value=${phases[phase] ?? []}
                onChange=${put(phase)}
              invalid=${given["aria-invalid"]} />`}
          <//>`,
          )
        : html`<${Field} label="Target" path="use" group
          hint="Tried in order until one answers. A * as the model stands for the one that the agent asks for.">
          ${(given) => html`<${ChainChoice} label="Target" value=${chain}
              onChange=${(value) => onChange({ chain: value })}
            invalid=${given["aria-invalid"]} />`}
        <//>`
    }
  </section>`;
}

function FallbackFields({ schema, fallback, onChange }) {
  const put = (/** @type {string} */ key) => (/** @type {any} */ value) =>
    onChange({ ...fallback, [key]: value });
  const known = choices(schema, "fallback.on");
  const chosen = known.filter(
    (failure) =>
      !fallback.not_on.includes(failure) && (PASSING.includes(failure) || fallback.on.includes(failure)),
  );
  const choose = (/** @type {string[]} */ wanted) =>
    onChange({
      ...fallback,
      on: wanted.filter((failure) => !PASSING.includes(failure)),
      not_on: PASSING.filter((failure) => !wanted.includes(failure)),
    });
  return html`<div class="stack">
    <${Choices} label="Go on to the next target after" path="fallback" options=${known} chosen=${chosen}
        onChange=${choose}
      hint="Of all other failures the agent is told at once. It has got nothing of an answer yet in either case." />
    <div class="fields">
      <${TextField} label="Retries of each target" path="fallback.retries" type="number" placeholder="0"
        hint=${hint(schema, "fallback.retries")} value=${fallback.retries} onChange=${put("retries")} />
      <${TextField} label="Cooldown in seconds" path="fallback.cooldown" type="number" placeholder="30"
        hint=${hint(schema, "fallback.cooldown")} value=${fallback.cooldown} onChange=${put("cooldown")} />
    </div>
  </div>`;
}

/** Part of a form that is folded away while there is nothing in it. */
function Fold({ title, used, children }) {
  const [open] = useState(used);
  return html`<details class="fold"
      open=${open}><summary>${title}</summary><div class="fold-body stack">${children}</div></details>`;
}

/**
 * @param {{
 *   rule?: any, like?: any, onSave: (rule: any, keep: boolean) => Promise<any>, onCancel: () => void, onReload: () => void,
 * }} props without `rule` it is for a new one, which begins like `like`
 */
export function RuleForm({ rule, like, onSave, onCancel, onReload }) {
  const schema = useSchema("rule");
  const [draft, setDraft] = useState(() => toDraft(rule ?? like));
  const put = (/** @type {any} */ changes) => setDraft((before) => ({ ...before, ...changes }));
  const { fallback, limit, set, drop, api_key: key } = draft;
  const fallbackUsed = Object.values(fallback).some((value) => value.length > 0);
  return html`<div class="body rule-form">
    <${Form} label=${rule ? `Edit ${rule.name}` : "New rule"} submit=${rule ? "Save" : "Add the rule"}
        onCancel=${onCancel} onReload=${onReload}
      onSubmit=${async (keep) => onSave(fromDraft(draft, rule), keep)}>
      <${TextField} label="Name" path="name" value=${draft.name} onChange=${(name) => put({ name })} focus
          placeholder="plan with Opus"
        hint=${hint(schema, "name")} />
      <${UseFields} schema=${schema} draft=${draft} onChange=${put} />
      <${WhenFields} schema=${schema} when=${draft.when} onChange=${(when) => put({ when })} />
      <${Fold} title="Change the request" used=${set.length + drop.length > 0 || key !== ""}>
        <${Pairs} label="Set fields" path="set" pairs=${set} names=${["field", "value (JSON)"]}
            add="Set a field"
          hint=${hint(schema, "set")} onChange=${(value) => put({ set: value })} />
        <div class="fields">
          <${Values} label="Drop fields" path="drop" values=${drop} placeholder=${example(schema, "drop")}
            hint=${hint(schema, "drop")} onChange=${(value) => put({ drop: value })} />
          <${TextField} label="Another key" path="api_key" value=${key} mono
              placeholder=${example(schema, "api_key")}
            hint=${hint(schema, "api_key")} onChange=${(value) => put({ api_key: value })} />
        </div>
      <//>
      <${Fold} title="When a target fails" used=${fallbackUsed}>
        <${FallbackFields} schema=${schema} fallback=${fallback}
            onChange=${(value) => put({ fallback: value })} />
      <//>
      <${Fold} title="Limits" used=${limit.length > 0}>
        <${LimitFields} limits=${limit} onChange=${(value) => put({ limit: value })} />
      <//>
    <//>
  </div>`;
}

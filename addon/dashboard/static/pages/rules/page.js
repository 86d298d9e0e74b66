/** Rules: which calls go where. */

import { speak, tell } from "../../announcing.js";
import { ApiError, read } from "../../api.js";
import { confirm } from "../../components/dialog.js";
import { Failure } from "../../components/failure.js";
import { useFocusReturn } from "../../components/focus.js";
import { useLoaded } from "../../components/loading.js";
import { TargetChoice } from "../../components/target_choice.js";
import { marked } from "../../components/words.js";
import { Conflict, useEdited } from "../../edited.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "../../html.js";
import { Icon } from "../../icons.js";
import { link } from "../../router.js";
import { useShortcut } from "../../shortcuts.js";
import { useStore } from "../../store.js";
import { useDragging } from "./reordering.js";
import { RuleForm } from "./rule_form.js";
import { RuleRow } from "./rule_row.js";
import { TextTab } from "./text_tab.js";
import { TryPanel } from "./try_panel.js";

const NEW = "\u0000new";

/**
 * Make an edit of a rule, found again by its name for as long as it keeps that.
 * @param {string} name
 * @param {(index: number) => import("../../edited.js").Request} request
 * @returns {import("../../edited.js").Edit}
 */
function onRule(name, request) {
  return ({ rules }) => {
    const rule = rules.find((/** @type {any} */ candidate) => candidate.name === name);
    if (!rule) throw new ApiError(404, { message: `There is no rule “${name}” any more.` });
    return request(rule.index);
  };
}

/** A rule for calls as one on the Live page was. @param {Record<string, string>} query */
function likeness({ agent, model }) {
  const when = { ...(agent && { agent }), ...(model && { model }) };
  return { name: [agent, model].filter(Boolean).join(" asks for "), when };
}

function NoRules({ onAdd }) {
  return html`<div class="card empty">
    <h2>No rules yet</h2>
    <p>A rule says which calls go to which model. The first whose conditions all hold applies; without any rule, every call goes
      where the default below says.</p>
    <button class="button primary" onClick=${onAdd}><${Icon} name="plus" />Add the first rule</button>
  </div>`;
}

function RuleList({ file, data, editing, setEditing, taken }) {
  const { rules, notices } = data;
  const { data: usage } = useLoaded(() => read("usage", { since: "24h", by: "rule" }), [data.revision]);
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const grabbed = useRef("");
  const move = async (/** @type {number} */ from, /** @type {number} */ to) => {
    const { name } = rules[from];
    grabbed.current = name;
    const edit = (/** @type {number} */ index) =>
      /** @type {const} */ ({ method: "POST", path: "rules/move", body: { from: index, to } });
    if (await file.editNow(onRule(name, edit))) speak(`${name} is now ${to + 1} of ${rules.length}`);
  };
  const dragging = useDragging(move);
  useLayoutEffect(() => {
    if (!grabbed.current) return; // rows have moved or gone, and the focus with them
    const row = list.current?.querySelector(`[data-rule="${CSS.escape(grabbed.current)}"] .grip`);
    /** @type {HTMLElement | null} */ (row)?.focus();
    grabbed.current = "";
  }, [data]);

  const patch = async (/** @type {any} */ rule, /** @type {any} */ changes, /** @type {string} */ said) => {
    const make = (/** @type {any} */ body) =>
      file.editNow(onRule(rule.name, (index) => ({ method: "PATCH", path: `rules/${index}`, body })));
    const before = Object.fromEntries(Object.keys(changes).map((key) => [key, rule[key]]));
    if (await make(changes)) tell(said, { label: "Undo", run: () => make(before) });
  };
  const remove = async (/** @type {string} */ name) => {
    const asked = {
      title: `Delete “${name}”?`,
      text: "The rule and the comments above it leave rules.yaml; the file as it was is kept beside it as rules.yaml.before.",
      action: "Delete the rule",
    };
    if (!(await confirm(asked))) return;
    const edit = onRule(name, (index) => ({ method: "DELETE", path: `rules/${index}` }));
    const place = rules.findIndex((/** @type {any} */ rule) => rule.name === name);
    grabbed.current = (rules[place + 1] ?? rules[place - 1])?.name ?? "";
    if (await file.editNow(edit)) tell(`“${name}” is deleted.`);
  };
  return html`${notices.filter(({ rule }) => rule === null).map(({ message }) => html`<p class="warn small">${marked(message)}</p>`)}
  <ol class="rules" ref=${list}>
    ${rules.map(
      (rule) => html`<${RuleRow} key=${rule.name} rule=${rule} count=${rules.length} dragging=${dragging}
          taken=${taken === rule.index}
        used=${usage?.groups.find((group) => group.rule === rule.name)} notices=${notices.filter((notice) => notice.rule === rule.index)}
        editing=${editing === rule.name} onGrip=${(event) => dragging.start(event, rule.index)} onMove=${(to) => move(rule.index, to)}
        onSwitch=${(enabled) => patch(rule, { enabled }, `“${rule.name}” is ${enabled ? "in force" : "switched off"}.`)}
        onUse=${(use) => patch(rule, { use }, `“${rule.name}” goes elsewhere from the next call on.`)}
        onEdit=${() => setEditing(editing === rule.name ? "" : rule.name)} onDelete=${() => remove(rule.name)}>
        ${
          editing === rule.name &&
          html`<${Editor} file=${file} data=${data} rule=${rule}
            done=${() => setEditing("")} />`
        }
      <//>`,
    )}
  </ol>`;
}

/** The form of a rule that is there, or of a new one; it saves for the file that it was opened with. */
function Editor({ file, data, rule, like, done }) {
  const opened = useRef({ data, rule });
  const save = async (/** @type {any} */ changed, /** @type {boolean} */ keep) => {
    const { data: base, rule: original } = opened.current;
    const edit = original
      ? onRule(original.name, (index) => ({ method: "PUT", path: `rules/${index}`, body: { rule: changed } }))
      : () => /** @type {const} */ ({ method: "POST", path: "rules", body: { rule: changed, at: 0 } });
    await file.edit(edit, { base, keep });
    done();
    tell(`“${changed.name ?? "The rule"}” is saved and in force.`);
  };
  const reload = () => {
    done();
    file.reload();
  };
  return html`<${RuleForm} rule=${opened.current.rule} like=${like} onSave=${save} onCancel=${done}
      onReload=${reload} />`;
}

function Views({ view }) {
  const views = { list: "Rules", text: "The file" };
  return html`<nav class="tabs" aria-label="Rules as a list, or as the file">
    ${Object.entries(views).map(
      ([id, name]) => html`<a href=${link("rules", id === "list" ? {} : { view: id })}
          aria-current=${view === id ? "page" : undefined}>${name}</a>`,
    )}
  </nav>`;
}

/** @param {{query: Record<string, string>}} props */
export function Page({ query }) {
  const file = useEdited("rules");
  const { data, error, conflict } = useStore(file.state);
  const [editing, setEditing] = useState(query.new ? NEW : "");
  const [taken, setTaken] = useState(/** @type {number | null} */ (null));
  const view = query.view === "text" ? "text" : "list";
  const adder = useRef(/** @type {HTMLElement | null} */ (null));
  useShortcut("n", "new rule", () => setEditing(NEW));
  useFocusReturn(editing, (was) =>
    was === NEW ? adder.current : document.querySelector(`[data-rule="${CSS.escape(was)}"] [aria-expanded]`),
  );
  useEffect(() => {
    if (query.rule && data)
      document.querySelector(`[data-rule="${CSS.escape(query.rule)}"]`)?.scrollIntoView({ block: "center" });
  }, [query.rule, !data]);

  const setDefault = async (/** @type {string} */ target) => {
    const make = (/** @type {string} */ chosen) =>
      file.editNow(() => ({ method: "PUT", path: "rules/default", body: { default: chosen } }));
    const before = data.default;
    const undo = { label: "Undo", run: () => make(before) };
    if (await make(target)) tell(`What no rule takes: ${target}.`, undo);
  };
  const saveText = (/** @type {string} */ text, /** @type {boolean} */ keep) =>
    file.edit(() => ({ method: "PUT", path: "rules/text", body: { text } }), { keep });
  return html`
    <div class="page-head">
      <div>
        <h1>Rules</h1>
        <p class="lead">The first rule whose conditions all hold applies. Edits take effect at the next call.</p>
      </div>
      ${
        view === "list" &&
        html`<button class="button primary push" ref=${adder}
          onClick=${() => setEditing(NEW)}><${Icon} name="plus" />New rule</button>`
      }
    </div>
    <${Views} view=${view} />
    ${conflict && html`<${Conflict} onReload=${() => file.reload()} onKeep=${conflict} />`}
    <${Failure} error=${error} />
    ${
      data &&
      html`<div>
      ${
        view === "text"
          ? html`<${TextTab} data=${data} onSave=${saveText} onReload=${() => file.reload()} />`
          : html`<div class="rules-page">
            <div class="stack">
              ${
                editing === NEW &&
                html`<section class="card" aria-labelledby="new-rule">
                <div class="head"><h2 id="new-rule">New rule</h2><span class="quiet small">It comes first; move it later.</span></div>
                <${Editor} file=${file} data=${data} like=${likeness(query)} done=${() => setEditing("")} />
              </section>`
              }
              ${
                data.rules.length === 0 && editing !== NEW
                  ? html`<${NoRules} onAdd=${() => setEditing(NEW)} />`
                  : html`<${RuleList} file=${file} data=${data} editing=${editing} setEditing=${setEditing}
                    taken=${taken} />`
              }
              <section class="card default-rule">
                <div>
                  <h2>Everything else</h2>
                  <p class="quiet small">Calls that no rule takes.</p>
                </div>
                <span class="rule-arrow quiet"><${Icon} name="arrow" /></span>
                <${TargetChoice} value=${data.default} label="Default target" onChange=${setDefault} />
              </section>
            </div>
            <${TryPanel} onTaken=${setTaken} />
          </div>`
      }
    </div>`
    }
  `;
}

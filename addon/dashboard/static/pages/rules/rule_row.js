/** One rule of the list: what it wants, where it sends calls, and what can be done with it. */

import { TargetChoice } from "../../components/target_choice.js";
import { marked } from "../../components/words.js";
import { counted, dollars } from "../../formatting.js";
import { html } from "../../html.js";
import { Icon } from "../../icons.js";
import { link } from "../../router.js";
import { conditions, extras, several } from "./telling.js";

/** What the calls of a rule of late come to. */
function Used({ name, used }) {
  if (!used) return html`<span class="quiet small">no calls in 24 h</span>`;
  return html`<a class="small" href=${link("live", { rule: name })}>
    ${counted(used.requests, "call")} in 24 h${used.cost_usd == null ? "" : `, ${dollars(used.cost_usd)}`}
  </a>`;
}

function Use({ rule, onUse }) {
  const { name, use } = rule;
  if (use !== null && typeof use === "object" && !Array.isArray(use)) {
    return html`<dl class="by-phase">
      ${Object.entries(use).map(
        ([phase, chain]) => html`<dt class="quiet">${phase}</dt>
          <dd>
            <${TargetChoice} value=${several(chain)[0]} label=${`Target of ${name} for ${phase}`}
              onChange=${(target) => onUse({ ...use, [phase]: replaceFirst(chain, target) })} />
            <${Then} targets=${several(chain).slice(1)} />
          </dd>`,
      )}
    </dl>`;
  }
  return html`<${TargetChoice} value=${several(use)[0] ?? ""} label=${`Target of ${name}`}
      onChange=${(target) => onUse(replaceFirst(use, target))} />
    <${Then} targets=${several(use).slice(1)} />`;
}

/** @param {any} use @param {string} target */
function replaceFirst(use, target) {
  return Array.isArray(use) && use.length > 1 && !["pass", "block"].includes(target)
    ? [target, ...use.slice(1)]
    : target;
}

function Then({ targets }) {
  return targets.map((target) => html`<span class="then quiet small">then <code>${target}</code></span>`);
}

/**
 * @param {{
 *   rule: any, count: number, used: any, notices: any[], dragging: {from: number, to: number}, taken: boolean,
 *   onGrip: (event: PointerEvent) => void, onMove: (to: number) => void, onSwitch: (enabled: boolean) => void,
 *   onUse: (use: any) => void, onEdit: () => void, onDelete: () => void, editing: boolean, children?: any,
 * }} props `taken`: whether it is the one that the tried request took
 */
export function RuleRow(props) {
  const { rule, count, used, notices, dragging, taken, editing } = props;
  const { index, name, enabled, when } = rule;
  const wanted = conditions(when);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: count - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to !== index && to >= 0 && to < count) props.onMove(to);
  };
  const { from, to } = dragging;
  const drop = from >= 0 && from !== to && index === to ? (to < from ? "before" : "after") : undefined;
  return html`<li class="rule card" data-rule=${name} data-off=${enabled ? undefined : ""} data-drop=${drop}
    data-dragged=${from === index ? "" : undefined} data-taken=${taken ? "" : undefined}>
    <div class="rule-line">
      <button type="button" class="grip" aria-label=${`Move ${name}, ${index + 1} of ${count}: arrow keys`}
          title="Drag, or use the arrow keys"
        onPointerDown=${props.onGrip} onKeyDown=${onKeyDown}>
        <${Icon} name="grip" />
      </button>
      <span class="rule-number quiet number">${index + 1}</span>
      <input type="checkbox" role="switch" class="switch" aria-label=${`${name} is in force`}
          checked=${enabled}
        onChange=${(event) => props.onSwitch(event.target.checked)} />
      <div class="rule-what">
        <h2>${name}</h2>
        <div class="row conditions">
          ${wanted.map(([key, value]) => html`<span class="chip"><b>${key}</b> <code>${value}</code></span>`)}
          ${wanted.length === 0 && html`<span class="quiet small">every call</span>`}
          ${extras(rule).map((words) => html`<span class="quiet small">· ${words}</span>`)}
        </div>
        ${notices.map(({ message }) => html`<p class="warn small">${marked(message)}</p>`)}
        <div><${Used} name=${name} used=${used} /></div>
      </div>
      <span class="rule-arrow quiet"><${Icon} name="arrow" /></span>
      <div class="rule-use"><${Use} rule=${rule} onUse=${props.onUse} /></div>
      <div class="rule-tools">
        <button type="button" class="button plain icon" aria-expanded=${editing} aria-label=${`Edit ${name}`}
            title="Edit" onClick=${props.onEdit}>
          <${Icon} name="edit" />
        </button>
        <button type="button" class="button plain icon" aria-label=${`Delete ${name}`} title="Delete"
            onClick=${props.onDelete}>
          <${Icon} name="trash" />
        </button>
      </div>
    </div>
    ${props.children}
  </li>`;
}

/** Everything about one exchange, in a panel beside the list. */

import { read, status } from "../../api.js";
import { dollars, duration, fullTime, NOTHING } from "../../formatting.js";
import { html, useEffect, useRef } from "../../html.js";
import { Failure } from "../../components/failure.js";
import { useLoaded } from "../../components/loading.js";
import { Icon } from "../../icons.js";
import { link } from "../../router.js";
import { useStore } from "../../store.js";
import { Duration, Status, targetOf, tokenRows } from "./cells.js";
import { failed } from "./filters.js";
import { remedyFor } from "./remedies.js";

function Facts({ rows }) {
  return html`<dl class="facts">
    ${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value ?? NOTHING}</dd>`)}
  </dl>`;
}

/** When the first byte and the first word came, drawn to scale. */
function Timeline({ exchange }) {
  const { first_byte_ms: byte, first_token_ms: token, duration_ms: whole } = exchange;
  if (!whole) return html`<p class="quiet">It is under way: <${Duration} exchange=${exchange} /></p>`;
  const ends = [byte ?? token ?? whole, token ?? byte ?? whole, whole];
  const spans = [
    ["To the first byte", ends[0], 0],
    ["To the first word", ends[1] - ends[0], ends[0]],
    ["The rest of it", ends[2] - ends[1], ends[1]],
  ];
  return html`<div class="timeline">
    ${spans.map(
      ([name, length, start]) => html`<div>
        <span>${name}</span>
        <span class="track"><span style=${{ left: `${(100 * start) / whole}%`, width: `${(100 * length) / whole}%` }}></span></span>
        <span class="number">${duration(length)}</span>
      </div>`,
    )}
  </div>`;
}

function Attempts({ attempts }) {
  return html`<ol class="attempts">
    ${attempts.map(
      ({ provider, model, seconds, error, status: code }, index) => html`<li>
        <span class="state" data-tone=${error ? "bad" : "good"}>${index + 1}</span>
        <span><b>${provider}:${model}</b>${error && html`<span class="bad"> ${String(error)}</span>`}</span>
        <span class="number quiet">${code ?? ""} ${seconds == null ? "" : duration(seconds * 1000)}</span>
      </li>`,
    )}
  </ol>`;
}

function Losses({ losses }) {
  return html`<ul class="losses-list">
    ${losses.map(
      ({ field, action, reason }) => html`<li>
        <code>${field}</code> <span class="chip">${action}</span><br /><span class="quiet">${reason}</span>
      </li>`,
    )}
  </ul>`;
}

function Trouble({ exchange }) {
  if (!failed(exchange)) return null;
  const remedy = remedyFor(exchange);
  return html`<div class="notice" data-tone="bad">
    <span>${exchange.error ?? `The agent got status ${exchange.status}.`}</span>
    ${remedy && html`<span class="remedy"><b>What to do:</b> ${remedy}</span>`}
  </div>`;
}

function Body({ exchange }) {
  const { rule, attempts, losses, cost_usd: cost } = exchange;
  const formats = [exchange.source_format, exchange.target_format].filter(Boolean);
  const mitmweb = useStore(status)?.mitmweb;
  return html`
    <${Trouble} exchange=${exchange} />
    <${Facts}
      rows=${[
        [
          "Asked for",
          html`<code>${exchange.requested_model ?? exchange.endpoint}</code> at ${exchange.provider ?? "an unknown host"}`,
        ],
        ["Sent to", html`<code>${targetOf(exchange)}</code>`],
        ["Rule", rule ? html`<a href=${link("rules", { rule })}>${rule}</a>` : "none applied"],
        ["Agent", exchange.agent],
        ["Time", fullTime(exchange.time)],
        ["Format", `${[...new Set(formats)].join(" → ") || NOTHING}${exchange.stream ? ", streamed" : ""}`],
      ]}
    />
    <section><h3>Time</h3><${Timeline} exchange=${exchange} /></section>
    <section>
      <h3>Tokens and cost</h3>
      <${Facts} rows=${[...tokenRows(exchange), ["Cost", html`<b>${dollars(cost, exchange.state === "running" ? NOTHING : "unknown")}</b>`]]} />
    </section>
    ${attempts.length > 0 && html`<section><h3>Attempts</h3><${Attempts} attempts=${attempts} /></section>`}
    <section>
      <h3>What the translation could not keep</h3>
      ${losses.length ? html`<${Losses} losses=${losses} />` : html`<p class="quiet small">Nothing was lost.</p>`}
    </section>
    <div class="row">
      <a class="button tight"
          href=${link("rules", { new: "yes", agent: exchange.agent ?? "", model: exchange.requested_model ?? "" })}>
        New rule for such calls
      </a>
      ${
        mitmweb &&
        html`<a class="button tight" href=${`../#/flows/${exchange.id}/request`}
          target="_blank">Open in mitmweb</a>`
      }
      <span class="quiet small mono">${exchange.id}</span>
    </div>
  `;
}

/** @param {{id: string, exchange: any, onClose: () => void}} props `exchange`: as the list has it, if it does */
export function Details({ id, exchange, onClose }) {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const { data, error, reload } = useLoaded(async () => exchange ?? read(`exchanges/${id}`), [id, !exchange]);
  const shown = exchange ?? data;
  useEffect(() => heading.current?.focus(), [id]);
  const leave = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") onClose();
  };
  return html`<aside class="details card" aria-labelledby="details-heading" onKeyDown=${leave}>
    <header class="head">
      <h2 id="details-heading" tabindex="-1" ref=${heading}>Call</h2>
      ${shown && html`<${Status} exchange=${shown} />`}
      <button class="button plain icon push" aria-label="Close the details" title="Close (Esc)"
          onClick=${onClose}>
        <${Icon} name="close" />
      </button>
    </header>
    <div class="body stack">
      ${
        shown
          ? html`<${Body} exchange=${shown} />`
          : error
            ? html`<${Failure} error=${error}
          retry=${reload} />`
            : null
      }
    </div>
  </aside>`;
}

/** Troubles: what failed, and what translations could not keep. */

import { read } from "../../api.js";
import { Segments } from "../../components/choices.js";
import { Failure } from "../../components/failure.js";
import { useLoaded } from "../../components/loading.js";
import { ago, fullTime, whole } from "../../formatting.js";
import { html } from "../../html.js";
import { link, replaceQuery } from "../../router.js";
import { errorKind } from "../live/cells.js";
import { remedyFor } from "../live/remedies.js";

const RANGES = { "24h": "24 hours", "7d": "7 days", "30d": "30 days" };

function Last({ time }) {
  return html`<time datetime=${time} title=${fullTime(time)}>${ago(time)}</time>`;
}

/** How often, as a number and as a bar. */
function Count({ count, most }) {
  return html`<div
      class="count"><span class="number">${whole(count)}</span><span class="track"><span style=${{ width: `${(100 * count) / most}%` }}></span></span></div>`;
}

function Errors({ errors }) {
  const most = Math.max(...errors.map(({ count }) => count));
  return html`<div class="table-frame"><table id="errors" class="stacks">
    <caption class="unseen">Errors, the most frequent first</caption>
    <thead><tr><th scope="col">How often</th><th scope="col">Error</th><th scope="col">Provider and model</th><th scope="col">Last</th></tr></thead>
    <tbody>
      ${errors.map(({ status, error, provider, model, count, last }) => {
        const remedy = remedyFor({ error });
        const query = {
          status: "error",
          provider: provider ?? "",
          model: model ?? "",
          text: errorKind(error),
        };
        return html`<tr>
          <td><${Count} count=${count} most=${most} /></td>
          <td>
            <a href=${link("live", query)}>${[status, errorKind(error).replaceAll("_", " ")].filter(Boolean).join(" ") || "failed"}</a>
            ${error && html`<br /><span class="small">${error.replace(/^\w+: /, "")}</span>`}
            ${remedy && html`<br /><span class="quiet small">What to do: ${remedy}</span>`}
          </td>
          <td>${provider ?? html`<span class="quiet">none</span>`}${model && html`<br /><code class="small">${model}</code>`}</td>
          <td class="nowrap"><${Last} time=${last} /></td>
        </tr>`;
      })}
    </tbody>
  </table></div>`;
}

function Losses({ losses }) {
  const most = Math.max(...losses.map(({ count }) => count));
  return html`<div class="table-frame"><table id="losses" class="stacks">
    <caption class="unseen">What translations could not keep, the most frequent first</caption>
    <thead><tr><th scope="col">How often</th><th scope="col">Field</th><th scope="col">Why</th><th scope="col">Provider</th><th scope="col">Last</th></tr></thead>
    <tbody>
      ${losses.map(
        ({ field, action, reason, provider, count, last }) => html`<tr>
          <td><${Count} count=${count} most=${most} /></td>
          <td><code>${field}</code><br /><span class="chip">${action}</span></td>
          <td class="small">${reason}</td>
          <td>${provider ? html`<a href=${link("live", { provider })}>${provider}</a>` : html`<span class="quiet">none</span>`}</td>
          <td class="nowrap"><${Last} time=${last} /></td>
        </tr>`,
      )}
    </tbody>
  </table></div>`;
}

/** @param {{query: Record<string, string>}} props */
export function Page({ query }) {
  const since = query.since in RANGES ? query.since : "7d";
  const { data, error, reload } = useLoaded(() => read("troubles", { since }), [since]);
  return html`
    <div class="page-head">
      <div>
        <h1>Troubles</h1>
        <p class="lead">What failed, and what translations could not keep.</p>
      </div>
      <div class="push"><${Segments} label="How far back" value=${since} options=${RANGES}
          onChange=${(range) => replaceQuery({ since: range })} /></div>
    </div>
    <${Failure} error=${error} retry=${reload} />
    ${
      data &&
      html`<div class="stack">
      <section class="card" aria-labelledby="errors-heading">
        <div class="head"><h2 id="errors-heading">Errors</h2></div>
        ${data.errors.length ? html`<${Errors} errors=${data.errors} />` : html`<p class="body quiet">No call has failed in these ${RANGES[since]}.</p>`}
      </section>
      <section class="card" aria-labelledby="losses-heading">
        <div class="head"><h2 id="losses-heading">Losses</h2>
          <span class="quiet small">Fields that the other format or model does not know: dropped, approximated, or done by other means.</span></div>
        ${data.losses.length ? html`<${Losses} losses=${data.losses} />` : html`<p class="body quiet">Nothing was lost in translation in these ${RANGES[since]}.</p>`}
      </section>
    </div>`
    }
  `;
}

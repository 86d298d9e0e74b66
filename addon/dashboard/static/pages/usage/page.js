/** Usage: what was used, by whom, and what it cost. */

import { read } from "../../api.js";
import { Segments } from "../../components/choices.js";
import { Failure } from "../../components/failure.js";
import { useLoaded } from "../../components/loading.js";
import { bucketName, compact, counted, dollars, percent, roundDollars, whole } from "../../formatting.js";
import { html, useEffect, useRef, useState } from "../../html.js";
import { link, replaceQuery } from "../../router.js";
import { listen } from "../../stream.js";
import { BarChart } from "./chart.js";

const RANGES = { "24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days" };
const GROUPINGS = { model: "Model", provider: "Provider", agent: "Agent", rule: "Rule" };
const METRICS = { cost: "Cost", requests: "Calls", tokens: "Tokens" };
const MOST_SERIES = 6;
const QUIET_TIME = 1500;

/** The numbers of a series for one metric. @param {any} series @param {string} metric */
function valuesOf({ cost_usd: cost, requests, input_tokens: input, output_tokens: output }, metric) {
  if (metric === "cost") return cost;
  return metric === "requests" ? requests : input.map((count, index) => count + output[index]);
}

/** The largest series by name, and the rest as one. @param {any[]} all @param {string} metric */
function drawn(all, metric) {
  const named = all.map((series) => ({ name: series.name ?? "unknown", values: valuesOf(series, metric) }));
  const size = (/** @type {any} */ { values }) => values.reduce((sum, value) => sum + (value ?? 0), 0);
  const sorted = named.filter((series) => size(series) > 0).sort((one, other) => size(other) - size(one));
  if (sorted.length <= MOST_SERIES + 1) return sorted;
  const rest = sorted.slice(MOST_SERIES);
  const values = rest[0].values.map((_, index) =>
    rest.reduce((sum, series) => sum + (series.values[index] ?? 0), 0),
  );
  return [...sorted.slice(0, MOST_SERIES), { name: `${rest.length} others`, values }];
}

function Tile({ name, value, note }) {
  return html`<div
      class="card tile"><dt>${name}</dt><dd>${value}${note && html`<span class="note">${note}</span>`}</dd></div>`;
}

/** A cost, and how much of it nobody knows. @param {any} group */
function costNote({ unpriced }) {
  return unpriced ? `and ${counted(unpriced, "call")} of unknown price` : "";
}

function Tiles({ total }) {
  const { requests, errors, input_tokens: input, cache_read_tokens: cached, output_tokens: output } = total;
  return html`<dl class="tiles">
    <${Tile} name="Cost" value=${dollars(total.cost_usd)} note=${costNote(total)} />
    <${Tile} name="Calls" value=${whole(requests)}
        note=${errors ? `${counted(errors, "failed call")}` : "none failed"} />
    <${Tile} name="Tokens read" value=${compact(input)} note=${`${percent(cached, input)} from the cache`} />
    <${Tile} name="Tokens written" value=${compact(output)}
        note=${total.reasoning_tokens ? `${compact(total.reasoning_tokens)} of them thoughts` : ""} />
  </dl>`;
}

const COLUMNS = ["Calls", "Failed", "Tokens read", "From the cache", "Tokens written", "Cost"];

function Cells({ group }) {
  return html`
    <td class="number">${whole(group.requests)}</td>
    <td class="number">${group.errors ? html`<span class="bad">${whole(group.errors)}</span>` : "0"}</td>
    <td class="number">${whole(group.input_tokens)}</td>
    <td class="number">${percent(group.cache_read_tokens, group.input_tokens)}</td>
    <td class="number">${whole(group.output_tokens)}</td>
    <td class="number">${dollars(group.cost_usd)}${group.unpriced > 0 && group.cost_usd != null && html`<br /><span class="quiet small">+ ${whole(group.unpriced)} unknown</span>`}</td>
  `;
}

/** The Live page that shows the calls of a group. @param {string} by @param {string | null} name */
function linkTo(by, name) {
  return name ? link("live", { [by]: name }) : undefined;
}

function Totals({ usage, by }) {
  return html`<div class="card table-frame" tabindex="0" role="region" aria-label="Totals">
    <table id="totals">
      <caption class="unseen">Usage by ${by}</caption>
      <thead><tr><th scope="col">${GROUPINGS[by]}</th>${COLUMNS.map(
        (name) => html`<th scope="col"
          class="number">${name}</th>`,
      )}</tr></thead>
      <tbody>
        ${usage.groups.map(
          (group) => html`<tr key=${group[by]}>
            <th scope="row">${group[by] ? html`<a href=${linkTo(by, group[by])}>${group[by]}</a>` : html`<span class="quiet">unknown</span>`}</th>
            <${Cells} group=${group} />
          </tr>`,
        )}
      </tbody>
      <tfoot><tr><th scope="row">Total</th><${Cells} group=${usage.total} /></tr></tfoot>
    </table>
  </div>`;
}

/** Read anew a little after calls have ended. @param {() => void} reload */
function useFollowing(reload) {
  const latest = useRef(reload);
  latest.current = reload;
  useEffect(() => {
    let timer = 0;
    const stop = listen("exchange", ({ state }) => {
      if (state === "done" && !timer) {
        timer = setTimeout(() => {
          timer = 0;
          latest.current();
        }, QUIET_TIME);
      }
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);
}

/** @param {{query: Record<string, string>}} props */
export function Page({ query }) {
  const since = query.since in RANGES ? query.since : "7d";
  const by = query.by in GROUPINGS ? query.by : "model";
  const [metric, setMetric] = useState("cost");
  const bucket = /** @type {"hour" | "day"} */ (since === "24h" ? "hour" : "day");
  const { data, error, reload } = useLoaded(async () => {
    const [usage, series] = await Promise.all([
      read("usage", { since, by }),
      read("usage/series", { since, by, bucket }),
    ]);
    return { usage, series, by, bucket };
  }, [since, by]);
  useFollowing(reload);
  const put = (/** @type {Record<string, string>} */ changes) => replaceQuery({ since, by, ...changes });
  const total = data?.usage.total;
  return html`
    <div class="page-head">
      <div>
        <h1>Usage</h1>
        <p class="lead">What was used and what it cost, by the price lists of the providers.</p>
      </div>
      <div class="push"><${Segments} label="How far back" value=${since} options=${RANGES}
          onChange=${(range) => put({ since: range })} /></div>
    </div>
    <${Failure} error=${error} retry=${reload} />
    ${
      data &&
      !total &&
      html`<div class="card empty">
      <h2>Nothing was used in these ${RANGES[since]}</h2>
      <p>Every call that goes through Detour is counted here, with its tokens and its cost.</p>
      <a class="button" href=${link("live")}>How to start an agent</a>
    </div>`
    }
    ${
      total &&
      html`<div class="stack">
      <${Tiles} total=${total} />
      <section class="card" aria-labelledby="over-time">
        <div class="head">
          <h2 id="over-time">${METRICS[metric]} over time</h2>
          <div class="row push">
            <${Segments} label="What is drawn" value=${metric} options=${METRICS} onChange=${setMetric} />
            <${Segments} label="By what" value=${by} options=${GROUPINGS}
                onChange=${(name) => put({ by: name })} />
          </div>
        </div>
        <div class="body">
          <${BarChart} title=${METRICS[metric]}
              names=${data.series.buckets.map((start) => bucketName(start, data.bucket))}
            series=${drawn(data.series.series, metric)} write=${metric === "cost" ? dollars : whole}
            axis=${(value) => (metric === "cost" ? roundDollars(value) : compact(value))} />
          ${metric === "cost" && total.unpriced > 0 && html`<p class="quiet small">${counted(total.unpriced, "call")} of unknown price ${total.unpriced === 1 ? "is" : "are"} not drawn.</p>`}
        </div>
      </section>
      <${Totals} usage=${data.usage} by=${data.by} />
    </div>`
    }
  `;
}

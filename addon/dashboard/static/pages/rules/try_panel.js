/** "Which rule would this request take?", answered by the server as `detour explain` would. */

import { write } from "../../api.js";
import { Field, Form, TextField } from "../../components/form.js";
import { marked } from "../../components/words.js";
import { clock, dollars, whole } from "../../formatting.js";
import { html, useState } from "../../html.js";
import { choices, useSchema } from "../../schema.js";

/** @param {string} text lines such as `x-phase: plan` */
function headersOf(text) {
  const lines = text.split("\n").filter((line) => line.includes(":"));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).trim(), line.slice(line.indexOf(":") + 1).trim()]),
  );
}

function Trace({ steps, action, rule }) {
  return html`<ol class="trace">
    ${steps.map(
      (step) => html`<li data-matched=${step.matched ? "" : undefined}>
        <span class="state" data-tone=${step.matched ? "good" : "quiet"}>${step.rule}</span>
        <span class="quiet small">${step.matched ? "takes it" : marked(step.reason)}</span>
      </li>`,
    )}
    ${
      !steps.some((step) => step.matched) &&
      html`<li data-matched><span class="state"
        data-tone="good">${rule ?? "default"}</span><span class="quiet small">${action}</span></li>`
    }
  </ol>`;
}

/** How far the limits of the rule are used up. */
function Limits({ standings }) {
  return html`<ul class="trace" aria-label="Limits">
    ${standings.map(({ limit, used, until, reached }) => {
      const told = [`${whole(used.requests)} calls`, `${whole(used.tokens)} tokens`, dollars(used.cost_usd)];
      return html`<li>
        <span class="state" data-tone=${reached ? "warn" : "quiet"}>${limit}</span>
        <span class="quiet small">${reached ? "used up" : `used so far: ${told.join(", ")}`},
          until ${clock(new Date(1000 * until).toISOString())}</span>
      </li>`;
    })}
  </ul>`;
}

function Result({ found }) {
  const { action, rule, trace, destinations, request, error, note, call, limits } = found;
  const chain = destinations.map(({ provider, model }) => `${provider}:${model}`);
  const verdict = { pass: "It passes unchanged to where the agent calls.", block: "It is refused." }[action];
  return html`<div class="stack" id="tried">
    <p class="tried-answer">
      ${chain.length ? html`It goes to ${chain.map((target, index) => html`${index ? ", then " : ""}<b>${target}</b>`)}` : (verdict ?? action)}
      ${rule && html` by the rule <b>${rule}</b>`}
      <span class="quiet small"> (${call.endpoint}, phase ${call.phase})</span>
    </p>
    ${error && html`<div class="notice" data-tone="warn"><span>${marked(error)}</span></div>`}
    ${note && html`<p class="quiet small">${note}</p>`}
    ${limits.length > 0 && html`<${Limits} standings=${limits} />`}
    ${trace.length > 0 && html`<${Trace} steps=${trace} action=${action} rule=${rule} />`}
    ${
      request &&
      html`<details>
      <summary>What would be sent</summary>
      <p class="small"><code>${request.method} ${request.url}</code></p>
      <pre class="code" tabindex="0" role="region"
          aria-label="Headers and body">${Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\n`)}${"\n"}${JSON.stringify(request.body, null, 2)}</pre>
      ${request.losses?.map(({ field, action: done, reason }) => html`<p class="small"><code>${field}</code> ${done}: ${reason}</p>`)}
    </details>`
    }
  </div>`;
}

/** @param {{onTaken: (index: number | null) => void}} props is told which rule took the request */
export function TryPanel({ onTaken }) {
  const [call, setCall] = useState({
    model: "gpt-5",
    agent: "",
    endpoint: "chat",
    provider: "",
    headers: "",
    body: "",
  });
  const endpoints = choices(useSchema("rule"), "when.endpoint");
  const [found, setFound] = useState(/** @type {any} */ (null));
  const put = (/** @type {string} */ key) => (/** @type {string} */ value) =>
    setCall({ ...call, [key]: value });
  const ask = async () => {
    setFound(null);
    onTaken(null);
    const { headers, ...plain } = call;
    const given = Object.fromEntries(Object.entries(plain).filter(([, value]) => value.trim()));
    const answer = await write("POST", "rules/try", { ...given, headers: headersOf(headers) });
    setFound(answer);
    onTaken(answer.index ?? null);
  };
  return html`<section class="card try" aria-labelledby="try-heading">
    <div class="head"><h2 id="try-heading">Which rule would this request take?</h2></div>
    <div class="body stack">
      <${Form} label="Try a request" submit="Try it" onSubmit=${ask}>
        <div class="fields narrow">
          <${TextField} label="Model" path="model" mono value=${call.model} onChange=${put("model")} />
          <${TextField} label="Agent" path="agent" mono value=${call.agent} onChange=${put("agent")}
              placeholder="any" />
          <${TextField} label="Endpoint" path="endpoint" mono value=${call.endpoint}
              onChange=${put("endpoint")} placeholder="chat, audio/transcriptions"
            suggestions=${endpoints} />
        </div>
        <details class="fold">
          <summary>Provider called, headers, body</summary>
          <div class="fold-body stack">
            <${TextField} label="Provider called" path="provider" mono value=${call.provider}
                onChange=${put("provider")} placeholder="the endpoint's owner" />
            <${Field} label="Headers" path="headers" hint="One in a line: x-phase: review">
              ${(given) => html`<textarea ...${given} class="mono" rows="2" value=${call.headers}
                  onInput=${(event) => put("headers")(event.target.value)}></textarea>`}
            <//>
            <${Field} label="Body" path="body" hint="The agent's JSON; a greeting where it is empty.">
              ${(given) => html`<textarea ...${given} class="mono" rows="4" value=${call.body}
                  onInput=${(event) => put("body")(event.target.value)}></textarea>`}
            <//>
          </div>
        </details>
      <//>
      <div aria-live="polite">${found && html`<${Result} found=${found} />`}</div>
    </div>
  </section>`;
}

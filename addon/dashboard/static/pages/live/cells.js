/** How the values of an exchange are shown, in the list and in the details. */

import { compact, dollars, duration, NOTHING, whole } from "../../formatting.js";
import { html, useEffect, useState } from "../../html.js";
import { failed } from "./filters.js";

/** The kind of an error, which stands before its message. @param {string | null} error */
export function errorKind(error) {
  return error?.match(/^(\w+):/)?.[1] ?? "";
}

/** @param {{exchange: any}} props */
export function Status({ exchange }) {
  const { status, error } = exchange;
  if (exchange.state === "running") {
    return html`<span class="state" data-tone="info" data-running>running</span>`;
  }
  if (failed(exchange)) {
    const words = [status, errorKind(error).replaceAll("_", " ")].filter(Boolean).join(" ") || "failed";
    return html`<span class="state" data-tone="bad">${words}</span>`;
  }
  if (status == null) return html`<span class="state" data-tone="quiet">agent left</span>`;
  return html`<span class="state" data-tone="good">${status}</span>`;
}

/** Where it went: provider and model, or why there is none. @param {any} exchange */
export function targetOf({ actual_provider: provider, model }) {
  if (!provider) return "nobody";
  return model ? `${provider}:${model}` : provider;
}

/** @param {any} exchange */
export function tokensOf({ input_tokens: input, output_tokens: output }) {
  return input == null && output == null ? NOTHING : `${compact(input)} → ${compact(output)}`;
}

/** @param {any} exchange */
export function costOf(exchange) {
  const { cost_usd: cost, output_tokens: output, state } = exchange;
  const costs = state !== "running" && output != null && exchange.actual_provider;
  return dollars(cost, costs ? "unknown" : NOTHING);
}

/** How long it took, or has taken so far. @param {{exchange: any}} props */
export function Duration({ exchange }) {
  const running = exchange.state === "running";
  const [, tick] = useState(0);
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => tick((count) => count + 1), 500);
    return () => clearInterval(timer);
  }, [running]);
  const passed = running ? Math.max(0, Date.now() - Date.parse(exchange.time)) : exchange.duration_ms;
  return html`<span>${duration(passed)}</span>`;
}

/** @param {any} exchange */
export function describe(exchange) {
  const asked = exchange.requested_model ?? exchange.endpoint;
  return `${exchange.agent ?? "An agent"} asked for ${asked}, sent to ${targetOf(exchange)}`;
}

/** @param {any} exchange */
export function tokenRows(exchange) {
  const rows = [
    ["Input", exchange.input_tokens],
    ["of it from the cache", exchange.cache_read_tokens],
    ["of it written to the cache", exchange.cache_write_tokens],
    ["Output", exchange.output_tokens],
    ["of it reasoning", exchange.reasoning_tokens],
  ];
  return rows.filter(([, count]) => count != null).map(([name, count]) => [name, whole(count)]);
}

/** What to do about a failed exchange, by the kind of its error (addon/neutral/errors.py). */

import { html } from "../../html.js";
import { link } from "../../router.js";
import { errorKind } from "./cells.js";

const providers = (/** @type {string} */ words) => html`<a href=${link("providers")}>${words}</a>`;
const rules = (/** @type {string} */ words) => html`<a href=${link("rules")}>${words}</a>`;

/** @type {Record<string, any>} */
const REMEDIES = {
  authentication: html`the provider did not take the key. ${providers("Set it anew and verify it")}.`,
  permission: html`the key may not do this, or the provider is switched off. ${providers("Look at the provider")}.`,
  billing: html`the account has no credit left. Top it up at the provider, or ${rules("add a fallback target")}.`,
  not_found: html`the provider does not know this model. ${rules("Choose another target")}, or look at its ${providers("list of models")}.`,
  rate_limit: html`wait, raise the limit, or ${rules("add a fallback target")} to the rule.`,
  overloaded: html`try again a little later, or ${rules("add a fallback target")} to the rule.`,
  context_length: html`the conversation is too long for this model. ${rules("Add a rule for long prompts")}, or a fallback on context_length.`,
  too_large: html`the request is larger than the provider takes; send fewer or smaller files.`,
  timeout: html`the provider took too long. Give it more time under timeouts, or ${rules("add a fallback target")}.`,
  unreachable: html`nobody answered at the provider's address. ${providers("Verify the provider")}, and see whether its server runs.`,
  cut: html`the provider broke off in the middle of its answer. ${rules("A fallback target")} helps where that is frequent.`,
  invalid_request: html`the provider refused the request as it was. Fields can be dropped or set in ${rules("the rule")}.`,
  unsupported: html`this target cannot express what the agent sent. ${rules("Send such calls elsewhere")} by a condition on what they have.`,
  content_policy: html`the provider's content filter refused it. Another target may answer.`,
  server_error: html`this is the provider's own failure. Try again, or ${rules("add a fallback target")}.`,
  disconnected: html`the agent, or the network on its side, ended the call before the answer was complete.`,
};

/** @param {any} exchange */
export function remedyFor(exchange) {
  return REMEDIES[errorKind(exchange.error)];
}

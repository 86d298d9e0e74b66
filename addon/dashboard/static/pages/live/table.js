/**
 * The list of exchanges.
 *
 * A table of divs with the roles of one: its rows are laid out by a grid, or as cards where there is
 * little room, and those out of sight cost the browser nothing (`content-visibility`).
 */

import { clock, duration, fullTime } from "../../formatting.js";
import { html } from "../../html.js";
import { Icon } from "../../icons.js";
import { link } from "../../router.js";
import { Component } from "../../vendor/preact.js";
import { costOf, Duration, Status, targetOf, tokensOf } from "./cells.js";

const COLUMNS = ["Time", "Agent", "Model", "Rule", "Status", "Tokens", "Cost", "First byte", "Duration"];

/** One exchange; drawn anew only where it has changed. */
class Row extends Component {
  /** @param {any} next */
  shouldComponentUpdate(next) {
    const { exchange, open, filters } = this.props;
    return next.exchange !== exchange || next.open !== open || next.filters !== filters;
  }

  /** @param {any} props */
  render({ exchange, open, filters }) {
    const { id, requested_model: asked, endpoint, losses } = exchange;
    const target = targetOf(exchange);
    return html`<div class="call" role="row" data-id=${id} data-open=${open ? "" : undefined}>
      <div role="cell" class="time" title=${fullTime(exchange.time)}>${clock(exchange.time)}</div>
      <div role="cell" class="agent">${exchange.agent ?? html`<span class="quiet">unknown</span>`}</div>
      <div role="cell" class="models">
        <a href=${link("live", { ...filters, id })} aria-current=${open ? "true" : undefined}>
          <span class="asked">${asked ?? endpoint}</span>
          <span class="to"><${Icon} name="arrow" /><span class="unseen"> sent to </span></span>
          <span class="target">${target}</span>
        </a>
      </div>
      <div role="cell" class="rule">${exchange.rule ?? html`<span class="quiet">none</span>`}</div>
      <div role="cell" class="status">
        <${Status} exchange=${exchange} />
        ${
          losses.length > 0 &&
          html`<span class="losses"
            title="What the translation could not keep">−${losses.length}</span>`
        }
      </div>
      <div role="cell" class="tokens number">${tokensOf(exchange)}</div>
      <div role="cell" class="cost number">${costOf(exchange)}</div>
      <div role="cell" class="first number">${duration(exchange.first_byte_ms)}</div>
      <div role="cell" class="took number"><${Duration} exchange=${exchange} /></div>
    </div>`;
  }
}

/** @param {{rows: any[], filters: Record<string, string>, open: string | undefined}} props `open`: an id */
export function ExchangeTable({ rows, filters, open }) {
  return html`<div class="calls card" role="table" aria-label="Calls, the newest first"
      aria-rowcount=${rows.length + 1}>
    <div role="rowgroup" class="calls-head">
      <div class="call" role="row">
        ${COLUMNS.map(
          (name, index) => html`<div role="columnheader"
            class=${index > 4 ? "number" : ""}>${name}</div>`,
        )}
      </div>
    </div>
    <div role="rowgroup" class="calls-body">
      ${rows.map(
        (exchange) => html`<${Row} key=${exchange.id} exchange=${exchange} filters=${filters}
          open=${exchange.id === open} />`,
      )}
    </div>
  </div>`;
}

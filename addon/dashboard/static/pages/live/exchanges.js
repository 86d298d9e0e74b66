/**
 * The exchanges that the Live page shows: the newest first, as the server tells them.
 *
 * Events may come many a second, so they are gathered and applied once per frame. While the list is
 * held, events wait and only their number is shown; a list that is followed for days keeps the
 * newest `MOST`.
 */

import { connection, read } from "../../api.js";
import { Store } from "../../store.js";
import { listen } from "../../stream.js";
import { matches } from "./filters.js";

const PAGE = 100;
const MOST = 1000;

/**
 * @typedef {any} Exchange a record as in docs/dashboard-api.md
 * @typedef {{rows: Exchange[], next: string | null, loading: boolean, error: any, held: boolean, waiting: number}} List
 */

export class Exchanges {
  /** @param {Record<string, string>} filters */
  constructor(filters) {
    this.filters = filters;
    this.list = new Store(
      /** @type {List} */ ({ rows: [], next: null, loading: true, error: null, held: false, waiting: 0 }),
    );
    /** @type {Map<string, Exchange>} */
    this.pending = new Map();
    this.frame = 0;
    /** Called with what has newly begun, once per frame. */
    this.onBegun = (/** @type {Exchange[]} */ _begun) => {};
  }

  /** Load the list and follow what happens, until the returned function is called. */
  follow() {
    const reload = () => this.load();
    const stops = [
      listen("exchange", (exchange) => this.take(exchange)),
      listen("open", reload),
      listen("reset", reload),
    ];
    // Not before the stream has begun: what happens in between would be missed.
    if (connection.value === "live") this.load();
    return () => {
      for (const stop of stops) stop();
      cancelAnimationFrame(this.frame);
    };
  }

  /** Read the newest ones anew. */
  async load() {
    this.list.patch({ loading: true });
    try {
      const { exchanges, next } = await read("exchanges", { ...this.filters, limit: PAGE });
      const told = new Set(exchanges.map((exchange) => exchange.id));
      for (const id of told) this.pending.delete(id);
      this.list.patch({ rows: exchanges, next, loading: false, error: null });
    } catch (error) {
      this.list.patch({ loading: false, error });
    }
  }

  /** Read those before the oldest one shown. */
  async loadOlder() {
    const { next, rows } = this.list.value;
    if (!next) return;
    this.list.patch({ loading: true });
    try {
      const older = await read("exchanges", { ...this.filters, limit: PAGE, before: next });
      const shown = new Set(rows.map((row) => row.id));
      const added = older.exchanges.filter((exchange) => !shown.has(exchange.id));
      this.list.patch({
        rows: [...this.list.value.rows, ...added],
        next: older.next,
        loading: false,
        error: null,
      });
    } catch (error) {
      this.list.patch({ loading: false, error });
    }
  }

  /** @param {boolean} held */
  hold(held) {
    this.list.patch({ held });
    if (!held) this.apply();
  }

  /** @param {Exchange} exchange */
  take(exchange) {
    this.pending.set(exchange.id, exchange);
    if (this.list.value.held) {
      this.list.patch({ waiting: this.pending.size });
    } else if (!this.frame) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        if (!this.list.value.held) this.apply();
      });
    }
  }

  apply() {
    if (!this.pending.size) return;
    const pending = this.pending;
    this.pending = new Map();
    const rows = [];
    for (const row of this.list.value.rows) {
      const changed = pending.get(row.id);
      pending.delete(row.id);
      if (!changed) rows.push(row);
      else if (matches(changed, this.filters)) rows.push(changed);
    }
    const begun = [...pending.values()].filter((exchange) => matches(exchange, this.filters)).reverse();
    const kept = [...begun, ...rows].slice(0, Math.max(MOST, rows.length));
    this.list.patch({ rows: kept, waiting: 0 });
    if (begun.length) this.onBegun(begun);
  }
}

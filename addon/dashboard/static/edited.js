/**
 * What the server has of rules.yaml, and edits of it.
 *
 * Each edit names the revision that it was made for. Where the file has changed meanwhile nothing is
 * saved (409); an edit that is to win nevertheless is made anew for the file as it is now.
 */

import { ApiError, read, write } from "./api.js";
import { html, useEffect, useMemo } from "./html.js";
import { Store } from "./store.js";
import { listen } from "./stream.js";

/**
 * @typedef {any} Answer what a GET of the path gives; it has a `revision`
 * @typedef {{method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: any}} Request
 * @typedef {(answer: Answer) => Request} Edit says what to ask, given what the server has
 */

export class Edited {
  /** @param {string} path what is read after each edit */
  constructor(path) {
    this.path = path;
    this.state = new Store(
      /** @type {{data: Answer | null, error: any, conflict: (() => void) | null}} */ ({
        data: null,
        error: null,
        conflict: null,
      }),
    );
    /** The edit that was asked for last. @type {Promise<any>} */
    this.last = Promise.resolve();
    /** What this page has made of each revision. @type {Map<string, string>} */
    this.next = new Map();
  }

  async load() {
    try {
      this.state.patch({ data: await read(this.path), error: null });
    } catch (error) {
      this.state.patch({ error });
    }
  }

  /**
   * Make an edit, after those that are under way.
   * @param {Edit} edit
   * @param {{base?: Answer, keep?: boolean}} [options] `base`: what the edit was made for, where it is
   *   not what is shown now; `keep`: make it for the file as it is now
   * @returns {Promise<any>} the answer to the edit
   */
  edit(edit, options = {}) {
    const made = this.last.then(() => this.make(edit, options));
    this.last = made.catch(() => {});
    return made;
  }

  /** @param {Edit} edit @param {{base?: Answer, keep?: boolean}} options */
  async make(edit, { base, keep = false }) {
    if (keep) await this.load();
    const shown = this.state.value.data;
    const known = keep || !base || this.isOurs(base.revision) ? shown : base;
    const { method, path, body = {} } = edit(known);
    const answer = await write(method, path, { ...body, revision: known.revision });
    this.next.set(known.revision, answer.revision);
    this.state.patch({ conflict: null });
    await this.load();
    return answer;
  }

  /** Tell whether nobody but this page has changed the file since. @param {string} revision */
  isOurs(revision) {
    const shown = this.state.value.data.revision;
    const passed = new Set(); // an edit that was taken back leads in a circle
    let reached = revision;
    while (reached !== shown && !passed.has(reached) && this.next.has(reached)) {
      passed.add(reached);
      reached = this.next.get(reached);
    }
    return reached === shown;
  }

  /**
   * Make an edit at once, without a form: what goes wrong is told on top of the page.
   * @param {Edit} edit
   * @returns {Promise<boolean>} whether it is made
   */
  async editNow(edit, keep = false) {
    try {
      await this.edit(edit, { keep });
      return true;
    } catch (error) {
      const conflicts = error instanceof ApiError && error.isConflict;
      const changes = conflicts ? { conflict: () => this.editNow(edit, true) } : { error, conflict: null };
      this.state.patch(changes);
      return false;
    }
  }

  /** Give up the edit that met another one. */
  async reload() {
    this.state.patch({ conflict: null });
    await this.load();
  }
}

/**
 * Read a path, and again whenever the file or a key changes.
 * @param {string} path
 */
export function useEdited(path) {
  const edited = useMemo(() => new Edited(path), [path]);
  useEffect(() => {
    const load = () => edited.load();
    load();
    const stops = [
      listen("rules", ({ revision }) => revision !== edited.state.value.data?.revision && load()),
      ...["keys", "healed", "reset"].map((kind) => listen(/** @type {any} */ (kind), load)),
    ];
    return () => stops.forEach((stop) => stop());
  }, [edited]);
  return edited;
}

/**
 * Says that an edit met another one, and asks which is to stay.
 * @param {{onReload: () => void, onKeep: () => void}} props
 */
export function Conflict({ onReload, onKeep }) {
  return html`<div class="notice conflict" data-tone="warn" role="alert">
    <span><b>rules.yaml was changed elsewhere meanwhile.</b> Your edit is not saved.</span>
    <span class="row">
      <button type="button" class="button tight" onClick=${onReload}>Reload, drop mine</button>
      <button type="button" class="button tight" onClick=${onKeep}>Keep mine</button>
    </span>
  </div>`;
}

/**
 * rules.yaml as the server has it, and edits of it.
 *
 * Each edit names the revision that it was made for. Where the file has changed meanwhile nothing is
 * saved; an edit that is to win nevertheless is made anew for the file as it is now, in which the
 * rule is found again by its name.
 */

import { ApiError, read, write } from "../../api.js";
import { Store } from "../../store.js";

/**
 * @typedef {any} RulesAnswer as `GET api/rules` gives it
 * @typedef {(rules: RulesAnswer) => {method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: any}} Edit
 */

export class RulesFile {
  constructor() {
    this.state = new Store(
      /** @type {{data: RulesAnswer | null, error: any, conflict: (() => void) | null}} */ ({
        data: null,
        error: null,
        conflict: null,
      }),
    );
  }

  async load() {
    try {
      this.state.patch({ data: await read("rules"), error: null });
    } catch (error) {
      this.state.patch({ error });
    }
  }

  /**
   * Make an edit.
   * @param {Edit} edit
   * @param {{base?: RulesAnswer, keep?: boolean}} [options] `base`: what the edit was made for, where
   *   it is not what is shown now; `keep`: make it for the file as it is now
   */
  async edit(edit, { base, keep = false } = {}) {
    if (keep) await this.load();
    const rules = keep || !base ? this.state.value.data : base;
    const { method, path, body = {} } = edit(rules);
    const answer = await write(method, path, { ...body, revision: rules.revision });
    this.state.set({ data: answer, error: null, conflict: null });
    return answer;
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
      if (error instanceof ApiError && error.isConflict) {
        this.state.patch({ conflict: () => this.editNow(edit, true) });
      } else {
        this.state.patch({ error, conflict: null });
      }
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
 * Name a rule for as long as it keeps its name.
 * @param {string} name
 * @param {(index: number) => ReturnType<Edit>} request
 * @returns {Edit}
 */
export function onRule(name, request) {
  return (rules) => {
    const rule = rules.rules.find((candidate) => candidate.name === name);
    if (!rule) throw new ApiError(404, { message: `There is no rule “${name}” any more.` });
    return request(rule.index);
  };
}

/** The providers as the server has them, and edits of them; see `rules_file.js` for conflicts. */

import { ApiError, read, write } from "../../api.js";
import { Store } from "../../store.js";

/** @typedef {{revision: string, providers: any[], not_yet: Record<string, string>}} ProvidersAnswer */

export class ProvidersFile {
  constructor() {
    this.state = new Store(
      /** @type {{data: ProvidersAnswer | null, error: any, conflict: (() => void) | null}} */ ({
        data: null,
        error: null,
        conflict: null,
      }),
    );
  }

  async load() {
    try {
      this.state.patch({ data: await read("providers"), error: null });
    } catch (error) {
      this.state.patch({ error });
    }
  }

  /**
   * Make an edit of rules.yaml and show what has become of the providers.
   * @param {"POST" | "PUT" | "PATCH" | "DELETE"} method
   * @param {string} path
   * @param {any} body
   * @param {{revision?: string, keep?: boolean}} [options] `revision`: what the edit was made for,
   *   where it is not what is shown now; `keep`: make it for the file as it is now
   */
  async edit(method, path, body, { revision, keep = false } = {}) {
    if (keep) await this.load();
    const shown = this.state.value.data?.revision;
    const answer = await write(method, path, { ...body, revision: keep ? shown : (revision ?? shown) });
    this.state.patch({ conflict: null });
    await this.load();
    return answer;
  }

  /**
   * Make an edit at once, without a form: what goes wrong is told on top of the page.
   * @param {"POST" | "PUT" | "PATCH" | "DELETE"} method
   * @param {string} path
   * @param {any} body
   * @returns {Promise<boolean>} whether it is made
   */
  async editNow(method, path, body, keep = false) {
    try {
      await this.edit(method, path, body, { keep });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.isConflict) {
        this.state.patch({ conflict: () => this.editNow(method, path, body, true) });
      } else {
        this.state.patch({ error, conflict: null });
      }
      return false;
    }
  }

  async reload() {
    this.state.patch({ conflict: null });
    await this.load();
  }
}

/** The address of a provider in the API. @param {string} id @param {string} [rest] */
export function at(id, rest = "") {
  return `providers/${encodeURIComponent(id)}${rest && `/${rest}`}`;
}

/**
 * Calls of the JSON API (docs/dashboard-api.md).
 *
 * Addresses are relative to the page, so that it works under any prefix. Writes carry the CSRF
 * token that `GET api/status` gives; a server that was started anew has another one, which is
 * fetched once before a write is given up.
 */

import { Store } from "./store.js";

/** What the server has said of itself, or null before it has. */
export const status = new Store(/** @type {any} */ (null));

/** Whether the server answers: "connecting", "live", "lost" or "denied". */
export const connection = new Store("connecting");

/** The server refused a call, or could not be reached. */
export class ApiError extends Error {
  /**
   * @param {number} code HTTP status; 0 where there was no answer
   * @param {{message: string, field?: string, line?: number, column?: number, remedy?: string}} told
   * @param {any} [body] the whole answer
   */
  constructor(code, told, body = {}) {
    super(told.message);
    this.code = code;
    this.field = told.field ?? "";
    this.line = told.line;
    this.column = told.column;
    this.remedy = told.remedy ?? "";
    this.body = body;
  }

  get isConflict() {
    return this.code === 409;
  }
}

/**
 * @param {string} method
 * @param {string} path below `api/`
 * @param {any} [body]
 * @returns {Promise<any>}
 */
async function call(method, path, body) {
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json" };
  if (method !== "GET") {
    headers["content-type"] = "application/json";
    headers["x-detour-csrf"] = status.value?.csrf ?? "";
  }
  let response;
  try {
    response = await fetch(`api/${path}`, {
      method,
      headers,
      body: method === "GET" ? undefined : JSON.stringify(body ?? {}),
      cache: "no-store",
    });
  } catch {
    connection.set("lost");
    throw new ApiError(0, {
      message: "Detour does not answer.",
      remedy: "Is `detour serve` still running? This page reconnects by itself.",
    });
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401) connection.set("denied");
  const told = answer.error ?? { message: `The server answered with status ${response.status}.` };
  throw new ApiError(response.status, told, answer);
}

/**
 * Read something.
 * @param {string} path
 * @param {Record<string, string | number | undefined>} [query] empty values are left out
 */
export function read(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return call("GET", text ? `${path}?${text}` : path);
}

/**
 * Change something.
 * @param {"POST" | "PUT" | "PATCH" | "DELETE"} method
 * @param {string} path
 * @param {any} [body]
 */
export async function write(method, path, body) {
  try {
    return await call(method, path, body);
  } catch (error) {
    const token = status.value?.csrf;
    if (!(error instanceof ApiError) || error.code !== 403) throw error;
    await readStatus();
    if (status.value?.csrf === token) throw error;
    return call(method, path, body);
  }
}

/** Ask the server for its state. */
export async function readStatus() {
  const told = await call("GET", "status");
  status.set(told);
  return told;
}

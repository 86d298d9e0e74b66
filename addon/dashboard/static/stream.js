/**
 * What the server tells by itself, over one `EventSource` that heals.
 *
 * A browser gives up an event stream after an HTTP error and says nothing where a connection hangs,
 * so both are seen to here: a new one is opened with growing pauses, and one that has been silent
 * for longer than the server's pings come apart is closed.
 */

import { connection, readStatus } from "./api.js";

const PAUSES = [250, 1000, 2000, 5000];
const LONGEST_SILENCE = 45_000;

/** @type {Map<string, Set<(data: any) => void>>} */
const listeners = new Map();
/** @type {EventSource | null} */
let source = null;
let failures = 0;
let before = false;
let turn = 0;
let retry = 0;
let watchdog = 0;

/**
 * Call a function with the data of each event of a kind. "open" comes when the stream begins, and
 * "healed" when it begins again, so that what was shown may be old.
 * @param {"open" | "healed" | "exchange" | "rules" | "keys" | "reset"} kind
 * @param {(data: any) => void} listener
 */
export function listen(kind, listener) {
  const known = listeners.get(kind) ?? new Set();
  listeners.set(kind, known.add(listener));
  return () => known.delete(listener);
}

/** @param {string} kind @param {any} data */
function tell(kind, data) {
  for (const listener of [...(listeners.get(kind) ?? [])]) listener(data);
}

function close() {
  turn++;
  source?.close();
  source = null;
  clearTimeout(retry);
  clearTimeout(watchdog);
}

function lose() {
  close();
  if (connection.value !== "denied") connection.set("lost");
  retry = setTimeout(connect, PAUSES[Math.min(failures++, PAUSES.length - 1)]);
}

function heard() {
  clearTimeout(watchdog);
  watchdog = setTimeout(lose, LONGEST_SILENCE);
}

function opened() {
  heard();
  failures = 0;
  connection.set("live");
  tell("open", null);
  if (before) {
    askAgain(1); // something may have changed between the last look and this stream
    tell("healed", null);
  }
  before = true;
}

/** Ask for the problems of the file, some more times where too much is asked at once. @param {number} times */
function askAgain(times) {
  readStatus().catch(() => times > 0 && setTimeout(() => askAgain(times - 1), 1000));
}

/** Open the stream, now. */
export async function connect() {
  close();
  const mine = turn;
  try {
    await readStatus(); // which says whether one is let in; an event stream does not tell why it fails
  } catch {
    if (mine === turn) lose();
    return;
  }
  if (mine !== turn) return;
  source = new EventSource("api/stream");
  source.onopen = opened;
  source.onerror = lose;
  source.addEventListener("ping", heard);
  for (const kind of ["exchange", "rules", "keys", "reset"]) {
    source.addEventListener(kind, (event) => {
      heard();
      if (kind === "rules") askAgain(2);
      tell(kind, JSON.parse(/** @type {MessageEvent} */ (event).data));
    });
  }
}

/** Keep a connection for as long as the page is open. */
export function start() {
  connect();
  addEventListener("online", connect);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => {
    if (event.persisted) connect();
  });
}

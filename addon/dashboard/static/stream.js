/**
 * What the server tells by itself, over one `EventSource` that heals.
 *
 * A browser gives up an event stream after an HTTP error and says nothing where a connection hangs,
 * so both are seen to here: a new one is opened with growing pauses, and one that has been silent
 * for longer than the server's pings come apart is closed.
 */

import { connection, readStatus, status } from "./api.js";

const PAUSES = [250, 1000, 2000, 5000];
const LONGEST_SILENCE = 45_000;

/** @type {Map<string, Set<(data: any) => void>>} */
const listeners = new Map();
/** @type {EventSource | null} */
let source = null;
let failures = 0;
let opened = false;
let retry = 0;
let watchdog = 0;

/**
 * Call a function with the data of each event of a kind; "healed" comes when a lost connection is
 * there again, and what was shown may be old.
 * @param {"healed" | "exchange" | "rules" | "keys" | "reset"} kind
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
  source?.close();
  source = null;
  clearTimeout(watchdog);
}

function lose() {
  close();
  if (connection.value !== "denied") connection.set("lost");
  clearTimeout(retry);
  retry = setTimeout(connect, PAUSES[Math.min(failures++, PAUSES.length - 1)]);
}

function heard() {
  clearTimeout(watchdog);
  watchdog = setTimeout(lose, LONGEST_SILENCE);
}

async function open() {
  try {
    await readStatus();
  } catch {
    lose();
    return;
  }
  heard();
  failures = 0;
  connection.set("live");
  if (opened) tell("healed", status.value);
  opened = true;
}

/** Open the stream, now. */
export function connect() {
  clearTimeout(retry);
  close();
  source = new EventSource("api/stream");
  source.onopen = open;
  source.onerror = lose;
  source.addEventListener("ping", heard);
  for (const kind of ["exchange", "rules", "keys", "reset"]) {
    source.addEventListener(kind, (event) => {
      heard();
      if (kind === "rules") readStatus().catch(() => {}); // which tells the problems of the file
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

/** Live: exchanges as they happen. */

import { speak } from "../../announcing.js";
import { status } from "../../api.js";
import { Command } from "../../components/command.js";
import { Failure } from "../../components/failure.js";
import { counted } from "../../formatting.js";
import { html, useEffect, useMemo, useRef } from "../../html.js";
import { Icon, Sign } from "../../icons.js";
import { replaceQuery } from "../../router.js";
import { useShortcut } from "../../shortcuts.js";
import { useStore } from "../../store.js";
import { describe } from "./cells.js";
import { Details } from "./details.js";
import { Exchanges } from "./exchanges.js";
import { FilterBar, FILTERS } from "./filters.js";
import { ExchangeTable } from "./table.js";

const SPOKEN_EVERY = 3000;

/** Speak of new calls, not more often than one can listen. */
function useSpokenCalls(exchanges) {
  useEffect(() => {
    let last = 0;
    let unsaid = 0;
    exchanges.onBegun = (begun) => {
      unsaid += begun.length;
      if (Date.now() - last < SPOKEN_EVERY) return;
      speak(unsaid === 1 ? `New call: ${describe(begun[0])}` : `${unsaid} new calls`);
      last = Date.now();
      unsaid = 0;
    };
  }, [exchanges]);
}

/** Let j and k walk through the rows. */
function useWalking() {
  const walk = (/** @type {number} */ step) => {
    const links = [...document.querySelectorAll(".calls-body a")];
    const here = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
    const open = links.findIndex((element) => element.hasAttribute("aria-current"));
    const next = links[Math.max(0, Math.min(links.length - 1, (here < 0 ? open : here) + step))];
    /** @type {HTMLElement | undefined} */ (next)?.focus();
  };
  useShortcut("j", "next call", () => walk(1));
  useShortcut("k", "previous call", () => walk(-1));
}

function NoCalls({ filtered }) {
  const told = useStore(status);
  if (filtered) {
    return html`<div class="card empty">
      <h2>No call passes these filters</h2>
      <p>New calls appear here as soon as one does.</p>
      <button class="button" onClick=${() => replaceQuery({})}>Show all calls</button>
    </div>`;
  }
  const [proxy] = told?.listening ?? [];
  return html`<div class="card empty">
    <span class="picture"><${Sign} /></span>
    <h2>Waiting for the first call</h2>
    <p>Start your agent through Detour, and each of its calls appears here: what it asked for, who answered, how long it took
      and what it cost.</p>
    <${Command} text=${`detour run ${proxy ? `--proxy ${proxy} ` : ""}-- python my_agent.py`} />
    <p class="small">Any program works: <code>codex</code>, <code>node my_agent.mjs</code>, <code>curl</code>. It needs no change.</p>
  </div>`;
}

/** @param {{query: Record<string, string>}} props */
export function Page({ query }) {
  const key = JSON.stringify(FILTERS.map((name) => query[name] ?? ""));
  const exchanges = useMemo(() => {
    const given = FILTERS.filter((name) => query[name]).map((name) => [name, query[name]]);
    return new Exchanges(Object.fromEntries(given));
  }, [key]);
  useEffect(() => exchanges.follow(), [exchanges]);
  useSpokenCalls(exchanges);
  useWalking();
  const { rows, next, loading, error, held, waiting } = useStore(exchanges.list);
  const hold = () => exchanges.hold(!held);
  useShortcut("p", "pause, or go on", hold);

  const rest = useMemo(() => {
    const { id: _open, ...filters } = query;
    return filters;
  }, [key]);
  const opened = useRef("");
  if (query.id) opened.current = query.id;
  const close = () => {
    replaceQuery(rest);
    const row = document.querySelector(`.call[data-id="${CSS.escape(opened.current)}"] a`);
    /** @type {HTMLElement | null} */ (row)?.focus({ preventScroll: true });
  };

  const running = rows.filter((row) => row.state === "running").length;
  return html`
    <div class="page-head">
      <div>
        <h1>Live</h1>
        <p class="lead">${running ? `${counted(running, "call")} running` : "Calls as they happen"}</p>
      </div>
      <button class="button push" onClick=${hold}>
        <${Icon} name=${held ? "play" : "pause"} />
        ${held ? `Go on${waiting ? ` (${waiting} new)` : ""}` : "Pause"}
      </button>
    </div>
    <div class="live" data-details=${query.id ? "" : undefined}>
      <div class="stack live-list">
        <${FilterBar} query=${query} newest=${rows[0]?.id} />
        <${Failure} error=${error} retry=${() => exchanges.load()} />
        ${
          rows.length > 0
            ? html`<${ExchangeTable} rows=${rows} filters=${rest} open=${query.id} />`
            : !loading && !error && html`<${NoCalls} filtered=${Object.keys(rest).length > 0} />`
        }
        ${
          next &&
          html`<button class="button older" disabled=${loading}
            onClick=${() => exchanges.loadOlder()}>Show older calls</button>`
        }
      </div>
      ${
        query.id &&
        html`<${Details} id=${query.id} exchange=${rows.find((row) => row.id === query.id)}
          onClose=${close} />`
      }
    </div>
  `;
}

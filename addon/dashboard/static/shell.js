/** What stands around every page: the bar, the places to go, the state of the connection. */

import { Announcements } from "./announcing.js";
import { connection, status } from "./api.js";
import { Confirmation } from "./components/dialog.js";
import { html, useEffect, useErrorBoundary, useRef, useState } from "./html.js";
import { Icon, Sign } from "./icons.js";
import { go, link, route } from "./router.js";
import { ShortcutHelp, showShortcuts, useShortcut } from "./shortcuts.js";
import { useStore } from "./store.js";
import { connect } from "./stream.js";

/** The pages; the code of each is fetched when it is first shown. */
const PLACES = [
  { id: "live", name: "Live", load: () => import("./pages/live/page.js") },
  { id: "rules", name: "Rules", load: () => import("./pages/rules/page.js") },
  { id: "providers", name: "Providers", load: () => import("./pages/providers/page.js") },
  { id: "usage", name: "Usage", load: () => import("./pages/usage/page.js") },
  { id: "troubles", name: "Troubles", load: () => import("./pages/troubles/page.js") },
];
const THEMES = { auto: "as the system", light: "light", dark: "dark" };
const ICON_OF_THEME = { auto: "auto", light: "sun", dark: "moon" };

function ThemeSwitch() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? "auto");
  const names = /** @type {(keyof typeof THEMES)[]} */ (Object.keys(THEMES));
  const next = names[(names.indexOf(/** @type {any} */ (theme)) + 1) % names.length];
  const change = () => {
    dispatchEvent(new CustomEvent("detour-theme", { detail: next }));
    setTheme(next);
  };
  useShortcut("t", "change between light and dark", change);
  const told = `Colours: ${THEMES[theme]}. Change to ${THEMES[next]}`;
  return html`<button class="button plain icon" aria-label=${told} title=${told} onClick=${change}>
    <${Icon} name=${ICON_OF_THEME[theme]} />
  </button>`;
}

function Connection() {
  const state = useStore(connection);
  const told = useStore(status);
  const words = {
    live: told?.listening.length ? `Listening on ${told.listening.join(", ")}` : "Connected",
    connecting: "Connecting",
    lost: "Reconnecting",
    denied: "Signed out",
  };
  return html`<span class="connection" data-state=${state}>
    <span class="words">${words[state]}</span>
  </span>`;
}

function Bar({ page }) {
  return html`<header class="bar">
    <a class="brand" href=${link("live")} aria-label="Detour, live calls"><${Sign} /><span>Detour</span></a>
    <nav class="places" aria-label="Pages">
      ${PLACES.map(
        ({ id, name }) => html`<a href=${link(id)} aria-current=${id === page ? "page" : undefined}>
          <${Icon} name=${id} /><span>${name}</span>
        </a>`,
      )}
    </nav>
    <div class="tools">
      <${Connection} />
      <button class="button plain icon shortcuts-button" aria-label="Keyboard shortcuts"
          title="Keyboard shortcuts (?)"
        onClick=${showShortcuts}>
        <${Icon} name="keyboard" />
      </button>
      <${ThemeSwitch} />
    </div>
  </header>`;
}

/** What concerns every page. */
function Notices() {
  const state = useStore(connection);
  const told = useStore(status);
  const [firstProblem] = told?.problems ?? [];
  return html`<div class="notices" aria-live="polite">
    ${
      state === "lost" &&
      html`<div class="notice" data-tone="bad" id="connection-lost">
      <span><b>Detour does not answer.</b> What you see may be old. Is <code>detour serve</code> running? This page
        reconnects by itself.</span>
      <button class="button tight push" onClick=${connect}>Try now</button>
    </div>`
    }
    ${
      state === "denied" &&
      html`<div class="notice" data-tone="bad">
      <span><b>You are signed out.</b> Open the address that <code>detour serve</code> prints; it holds the token.</span>
    </div>`
    }
    ${
      told &&
      !told.rules_ok &&
      html`<div class="notice" data-tone="warn">
      <span>
        <b>rules.yaml has ${told.problems?.length > 1 ? "mistakes" : "a mistake"}</b>; the last good rules stay in force.
        ${firstProblem && html` Line ${firstProblem.line}: ${firstProblem.message}`}
      </span>
      <a class="button tight push" href=${link("rules", { view: "text" })}>Open the file</a>
    </div>`
    }
  </div>`;
}

function Page({ place, query }) {
  const [broken, reset] = useErrorBoundary((error) => console.error(error));
  const [views, setViews] = useState(/** @type {Record<string, any>} */ ({}));
  const view = views[place.id];
  useEffect(() => {
    reset();
    if (!view) place.load().then((module) => setViews((known) => ({ ...known, [place.id]: module.Page })));
  }, [place.id]);
  if (broken) {
    return html`<div class="notice" data-tone="bad" role="alert">
      <span>This page is broken: ${String(broken.message)}. It is a mistake in Detour.</span>
      <button class="button tight push" onClick=${reset}>Show it again</button>
    </div>`;
  }
  return view && html`<${view} key=${place.id} query=${query} />`;
}

export function Shell() {
  const { page, query } = useStore(route);
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = useRef(page);
  const place = PLACES.find(({ id }) => id === page) ?? PLACES[0];
  for (const { id, name } of PLACES) useShortcut(`g ${id[0]}`, `go to ${name}`, () => go(id));
  useEffect(() => {
    document.title = `${place.name} · Detour`;
    if (shown.current === page) return;
    shown.current = page;
    main.current?.focus(); // as after loading a page: read from its head on
    scrollTo(0, 0);
  }, [page]);
  const skip = (/** @type {Event} */ event) => {
    event.preventDefault(); // the hash is the address of the page
    main.current?.focus();
  };
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the page</a>
    <${Bar} page=${place.id} />
    <${Notices} />
    <main class="page" id="main" tabindex="-1" ref=${main}><${Page} place=${place} query=${query} /></main>
    <${ShortcutHelp} />
    <${Confirmation} />
    <${Announcements} />
  `;
}

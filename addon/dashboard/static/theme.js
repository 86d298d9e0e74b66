/**
 * Light or dark, before anything is drawn: a plain script, so that the page never flashes.
 *
 * "auto" follows the system; a choice is remembered in this browser.
 */

(() => {
  const KEY = "detour-theme";
  const root = document.documentElement;

  const remembered = () => {
    try {
      return localStorage.getItem(KEY) ?? "auto";
    } catch {
      return "auto"; // storage is forbidden: the choice lasts as long as the page
    }
  };

  const choose = (/** @type {string} */ theme) => {
    root.dataset.theme = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // as above
    }
  };

  root.dataset.theme = remembered();
  addEventListener("detour-theme", (event) => choose(/** @type {CustomEvent} */ (event).detail));
})();

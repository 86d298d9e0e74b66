/**
 * The words in which all views are written: `html` templates that Preact keeps up to date.
 *
 * Templates are parsed at run time without `eval`, so that a strict Content-Security-Policy holds.
 */

import htm from "./vendor/htm.js";
import { h } from "./vendor/preact.js";

export { createContext, Fragment, render } from "./vendor/preact.js";
export {
  useCallback,
  useContext,
  useEffect,
  useErrorBoundary,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "./vendor/preact_hooks.js";

export const html = htm.bind(h);

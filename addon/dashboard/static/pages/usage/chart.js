/**
 * Bars over time, one on another for each name, as an SVG that follows the width of its place.
 *
 * Arrow keys walk through the bars, and what the pointer or the keys are at is told in words too.
 */

import { html, useEffect, useRef, useState } from "../../html.js";

const HEIGHT = 240;
const MARGIN = { top: 12, right: 4, bottom: 26, left: 52 };
const BAR_SHARE = 0.72;
const LABEL_WIDTH = 64;

/** Round up to a number that divides well. @param {number} value */
function ceiling(value) {
  if (value <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 3, 4, 6, 8, 10].find((candidate) => candidate * size >= value) ?? 10;
  return step * size;
}

function useWidth() {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(/** @type {HTMLElement} */ (element.current));
    return () => observer.disconnect();
  }, []);
  return { element, width };
}

function Tip({ name, rows, left, alignEnd }) {
  const style = alignEnd ? { right: `${left}px` } : { left: `${left}px` };
  return html`<div class="chart-tip" style=${style}>
    <b>${name}</b>
    <dl>
      ${rows.map(
        ([series, value, index]) => html`<dt><span class="swatch"
          data-series=${index + 1}></span>${series}</dt><dd>${value}</dd>`,
      )}
    </dl>
  </div>`;
}

/**
 * @param {{
 *   title: string, names: string[], series: {name: string, values: (number | null)[]}[], write: (value: number | null) => string,
 *   axis: (value: number) => string,
 * }} props `names`: of the buckets; `write`: how a value is told, `axis`: how it stands at the axis
 */
export function BarChart({ title, names, series, write, axis }) {
  const { element, width } = useWidth();
  const [at, setAt] = useState(-1);
  const inner = Math.max(0, width - MARGIN.left - MARGIN.right);
  const height = HEIGHT - MARGIN.top - MARGIN.bottom;
  const totals = names.map((_, bucket) => series.reduce((sum, { values }) => sum + (values[bucket] ?? 0), 0));
  const most = ceiling(Math.max(...totals, 0));
  const step = inner / names.length;
  const y = (/** @type {number} */ value) => MARGIN.top + height * (1 - value / most);
  const every = Math.max(1, Math.ceil(names.length / Math.max(1, Math.floor(inner / LABEL_WIDTH))));

  /** Name, value and place of each series that has something in a bucket. */
  const told = (/** @type {number} */ bucket) =>
    series
      .map(({ name, values }, index) => /** @type {const} */ ([name, values[bucket], index]))
      .filter(([, value]) => value !== 0);
  const onPointer = (/** @type {PointerEvent} */ event) => {
    const { left } = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    const bucket = Math.floor((event.clientX - left - MARGIN.left) / step);
    setAt(bucket >= 0 && bucket < names.length ? bucket : -1);
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const last = names.length - 1;
    const next = {
      ArrowLeft: Math.max(0, (at < 0 ? last + 1 : at) - 1),
      ArrowRight: Math.min(last, at + 1),
      Home: 0,
      End: last,
      Escape: -1,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setAt(next);
  };
  const spoken =
    at < 0
      ? ""
      : `${names[at]}: ${
          told(at)
            .map(([name, value]) => `${name} ${write(value)}`)
            .join(", ") || "nothing"
        }`;
  const tipAt = MARGIN.left + step * (at + 0.5);
  return html`<figure class="chart" ref=${element}>
    ${
      width > 0 &&
      html`<svg width=${width} height=${HEIGHT} role="img" tabindex="0"
        aria-label=${`${title}: bars over time. Arrow keys walk through them.`}
      onPointerMove=${onPointer} onPointerLeave=${() => setAt(-1)} onKeyDown=${onKeyDown} onBlur=${() => setAt(-1)}>
      ${[0, 0.25, 0.5, 0.75, 1].map(
        (share) => html`<g key=${share}>
          <line class="grid" x1=${MARGIN.left} x2=${width - MARGIN.right} y1=${y(most * share)}
              y2=${y(most * share)} />
          <text class="tick" x=${MARGIN.left - 8} y=${y(most * share) + 4}
              text-anchor="end">${axis(most * share)}</text>
        </g>`,
      )}
      ${
        at >= 0 &&
        html`<rect class="at" x=${MARGIN.left + step * at} y=${MARGIN.top} width=${step}
          height=${height} />`
      }
      ${names.map((name, bucket) => {
        let below = 0;
        const x = MARGIN.left + step * (bucket + (1 - BAR_SHARE) / 2);
        return html`<g key=${bucket}>
          ${series.map(({ values }, index) => {
            const value = values[bucket] ?? 0;
            if (value <= 0) return null;
            below += value;
            return html`<rect class="bar-part" data-series=${index + 1} x=${x} y=${y(below)}
                width=${Math.max(1, step * BAR_SHARE)}
              height=${Math.max(0.5, y(below - value) - y(below))} />`;
          })}
          ${
            bucket % every === 0 &&
            html`<text class="tick" x=${MARGIN.left + step * (bucket + 0.5)}
              y=${HEIGHT - 8} text-anchor="middle">${name}</text>`
          }
        </g>`;
      })}
    </svg>`
    }
    ${
      at >= 0 &&
      told(at).length > 0 &&
      html`<${Tip} name=${names[at]} rows=${told(at).map(([name, value, index]) => [name, write(value), index])}
      left=${at > names.length / 2 ? width - tipAt + step / 2 : tipAt + step / 2} alignEnd=${at > names.length / 2} />`
    }
    <figcaption class="unseen" aria-live="polite">${spoken}</figcaption>
    <ul class="legend" aria-label="Series">
      ${series.map(
        ({ name }, index) => html`<li><span class="swatch"
          data-series=${index + 1}></span>${name}</li>`,
      )}
    </ul>
  </figure>`;
}

/** The whole file as text: checked while it is typed, with the place of each mistake. */

import { tell } from "../../announcing.js";
import { write } from "../../api.js";
import { Failure } from "../../components/failure.js";
import { marked } from "../../components/words.js";
import { Conflict } from "../../edited.js";
import { counted } from "../../formatting.js";
import { html, useEffect, useRef, useState } from "../../html.js";

const CHECK_AFTER = 350;

/** @param {HTMLTextAreaElement} area @param {number} line @param {number} column both from 1 on */
function putCaret(area, line, column) {
  const lines = area.value.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const place = before + Math.min(column - 1, lines[line - 1]?.length ?? 0);
  area.focus();
  area.setSelectionRange(place, place);
  const top = area.getBoundingClientRect().top + scrollY;
  scrollTo({ top: top + (line - 8) * (area.scrollHeight / lines.length) });
}

/**
 * @param {{data: any, onSave: (text: string, keep: boolean) => Promise<any>, onReload: () => void}} props
 */
export function TextTab({ data, onSave, onReload }) {
  const [text, setText] = useState(data.text);
  const [problems, setProblems] = useState(data.problems);
  const [error, setError] = useState(/** @type {any} */ (null));
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const base = useRef(data.text);
  const dirty = text !== base.current;

  useEffect(() => {
    if (text === base.current) {
      setText(data.text); // untouched: follow the file
      setProblems(data.problems);
      base.current = data.text;
    }
  }, [data]);
  useEffect(() => {
    if (!dirty) return;
    const timer = setTimeout(async () => {
      try {
        await write("PUT", "rules/text", { text, dry_run: true });
        setProblems([]);
      } catch (wrong) {
        setProblems(wrong.body?.error?.problems ?? (wrong.line ? [wrong] : []));
      }
    }, CHECK_AFTER);
    return () => clearTimeout(timer);
  }, [text]);

  const save = async (keep = false) => {
    try {
      const answer = await onSave(text, keep);
      base.current = answer.text;
      setText(answer.text);
      setProblems([]);
      setError(null);
      tell("rules.yaml is saved and in force.");
    } catch (wrong) {
      setProblems(wrong.body?.error?.problems ?? (wrong.line ? [wrong] : []));
      setError(wrong);
    }
  };
  const reload = () => {
    base.current = text;
    setError(null);
    onReload();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      save();
    }
  };
  const wrongLines = new Set(problems.map((problem) => problem.line));
  const lines = text.split("\n");
  return html`<div class="stack">
    ${error?.isConflict && html`<${Conflict} onReload=${reload} onKeep=${() => save(true)} />`}
    ${error && !error.isConflict && problems.length === 0 && html`<${Failure} error=${error} />`}
    <div class="editor card">
      <div class="gutter" aria-hidden="true">
        ${lines.map((_, index) => html`<div data-wrong=${wrongLines.has(index + 1) ? "" : undefined}>${index + 1}</div>`)}
      </div>
      <textarea ref=${area} class="mono" aria-label="rules.yaml"
          aria-invalid=${problems.length ? "true" : undefined}
        aria-describedby="text-problems" spellcheck=${false} wrap="off" rows=${lines.length + 1} value=${text}
        onInput=${(event) => setText(event.target.value)} onKeyDown=${onKeyDown}></textarea>
    </div>
    <div class="editor-foot card">
      <div id="text-problems" aria-live="polite">
        ${
          problems.length === 0
            ? html`<span class="state"
              data-tone="good">${dirty ? "No mistakes; not saved yet" : "No mistakes"}</span>`
            : html`<span class="state" data-tone="bad">${counted(problems.length, "mistake")}</span>
              <ul>
                ${problems.map(
                  ({ line, column, message }) => html`<li>
                    <button class="button plain tight"
                        onClick=${() => putCaret(area.current, line, column)}>Line ${line}, ${column}</button>
                    <span>${marked(message)}</span>
                  </li>`,
                )}
              </ul>`
        }
      </div>
      <div class="row push">
        <button class="button" disabled=${!dirty} onClick=${() => setText(base.current)}>Undo all</button>
        <button class="button primary" disabled=${!dirty} onClick=${() => save()}>Save</button>
      </div>
    </div>
  </div>`;
}

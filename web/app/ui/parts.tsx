import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { labels } from '../labels';
import { Close } from './icons';

interface ToolProps {
  /** The accessible name, and the tip that appears on hover and focus. */
  label: string;
  onClick: () => void;
  children: ComponentChildren;
  /** off: the thing it switches is off. on: something is open or running. danger: ends the call. */
  tone?: 'off' | 'on' | 'danger' | undefined;
  expanded?: boolean;
  badge?: string | undefined;
  described?: string | undefined;
  shortcut?: string;
  busy?: boolean;
}

/** A round button of the control bar. */
export function Tool({ label, onClick, children, tone, expanded, badge, described, shortcut, busy }: ToolProps) {
  return (
    <button
      type="button"
      class={`tool ${tone ?? ''}`}
      aria-label={label}
      aria-expanded={expanded}
      aria-description={described}
      aria-keyshortcuts={shortcut}
      aria-busy={busy}
      data-tip={shortcut ? `${label} (${shortcut})` : label}
      onClick={onClick}
    >
      {children}
      {badge && <span class="badge">{badge}</span>}
    </button>
  );
}

/** A modal dialog. The browser keeps the focus inside and gives it back at the end; Escape closes. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-label={title}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div class="dialog-body">
        <header class="panel-head">
          <h2>{title}</h2>
          <button type="button" class="icon-button" aria-label={labels.close} onClick={onClose}>
            <Close />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export interface Option {
  value: string;
  text: string;
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly Option[];
  onChange: (value: string) => void;
  hint?: string;
}

/** A labelled select. */
export function Choice({ label, value, options, onChange, hint }: ChoiceProps) {
  const known = options.some((option) => option.value === value);
  return (
    <label class="field">
      <span>{label}</span>
      <select value={known ? value : options[0]?.value} disabled={options.length < 2} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
      {hint && <small>{hint}</small>}
    </label>
  );
}

/** Whether a media query matches, rendered again when that changes. */
export function useQuery(query: string): boolean {
  const [matches, setMatches] = useState(() => window.matchMedia(query).matches);
  useEffect(() => {
    const list = window.matchMedia(query);
    const read = () => setMatches(list.matches);
    list.addEventListener('change', read);
    return () => list.removeEventListener('change', read);
  }, [query]);
  return matches;
}

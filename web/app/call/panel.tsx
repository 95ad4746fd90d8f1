import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { labels } from '../labels';
import { Close } from '../ui/icons';
import type { Call, Panel } from './call';

/** The frame of the panels: beside the call, or over it on narrow pages. */
export function PanelFrame({ call, panel, title, children }: { call: Call; panel: Panel; title: string; children: ComponentChildren }) {
  const frame = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    // A focus that would go with the panel goes back to where it came from.
    return () => frame.current?.contains(document.activeElement) && before?.focus();
  }, []);
  return (
    <aside ref={frame} class="panel" aria-label={title}>
      <header class="panel-head">
        <h2>{title}</h2>
        <button type="button" class="icon-button" aria-label={labels.closePanel} title={labels.close} onClick={() => call.toggle(panel)}>
          <Close />
        </button>
      </header>
      {children}
    </aside>
  );
}

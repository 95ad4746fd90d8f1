import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { labels } from '../labels';
import { Close } from '../ui/icons';
import type { Call, Panel } from './call';

interface Props {
  call: Call;
  panel: Panel;
  title: string;
  /** What is done with files that are dropped onto it. */
  onFiles?: (files: File[]) => void;
  children: ComponentChildren;
}

/** The frame of the panels: beside the call, or over it on narrow pages. */
export function PanelFrame({ call, panel, title, onFiles, children }: Props) {
  const frame = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    // A focus that would go with the panel goes back to where it came from.
    return () => frame.current?.contains(document.activeElement) && before?.focus();
  }, []);
  const drop = useDrop(onFiles);
  return (
    <aside ref={frame} class="panel" aria-label={title} {...drop.handlers}>
      <header class="panel-head">
        <h2>{title}</h2>
        <button type="button" class="icon-button" aria-label={labels.closePanel} title={labels.close} onClick={() => call.toggle(panel)}>
          <Close />
        </button>
      </header>
      {children}
      {drop.over && <p class="drop-veil">Drop files here to offer them to everyone</p>}
    </aside>
  );
}

/** Lets files be dropped; others than files are the browser's own affair. */
function useDrop(onFiles: ((files: File[]) => void) | undefined) {
  const [over, setOver] = useState(false);
  if (!onFiles) return { over: false, handlers: {} };
  const drag = (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    setOver(true);
  };
  const leave = (event: DragEvent) => {
    const inside = (event.currentTarget as Node).contains(event.relatedTarget as Node | null);
    if (!inside) setOver(false);
  };
  const drop = (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    setOver(false);
    onFiles([...event.dataTransfer.files]);
  };
  return { over, handlers: { onDragEnter: drag, onDragOver: drag, onDragLeave: leave, onDrop: drop } };
}

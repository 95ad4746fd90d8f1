import { labels } from '../labels';
import { Store, useStore } from '../store';
import { Close } from './icons';

export interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'problem';
}

/** Short messages that go away by themselves. At most four stand at a time. */
export class Toasts {
  readonly store = new Store<{ list: readonly Toast[] }>({ list: [] });
  private next = 1;

  show(text: string, tone: Toast['tone'] = 'plain'): void {
    const { list } = this.store.get();
    if (list.some((toast) => toast.text === text)) return;
    const id = this.next++;
    this.store.set({ list: [...list, { id, text, tone }].slice(-4) });
    // People read about 15 characters a second; nobody reads at once.
    setTimeout(() => this.dismiss(id), 3500 + text.length * 70);
  }

  dismiss(id: number): void {
    const { list } = this.store.get();
    this.store.set({ list: list.filter((toast) => toast.id !== id) });
  }
}

export function ToastList({ toasts }: { toasts: Toasts }) {
  const { list } = useStore(toasts.store);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {list.map((toast) => (
        <div key={toast.id} class={`toast ${toast.tone}`}>
          <span>{toast.text}</span>
          <button type="button" class="icon-button small" aria-label={`Dismiss: ${toast.text}`} title={labels.close} onClick={() => toasts.dismiss(toast.id)}>
            <Close />
          </button>
        </div>
      ))}
    </div>
  );
}

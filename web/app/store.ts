import { useEffect, useState } from 'preact/hooks';

/** A value that components watch. set() replaces the fields named and tells everyone. */
export class Store<T extends object> {
  private readonly watchers = new Set<() => void>();

  constructor(private value: T) {}

  get(): T {
    return this.value;
  }

  set(patch: Partial<T>): void {
    this.value = { ...this.value, ...patch };
    for (const watcher of [...this.watchers]) watcher();
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }
}

/** The value of a store, rendered again when it changes. */
export function useStore<T extends object>(store: Store<T>): T {
  const [, render] = useState(0);
  useEffect(() => {
    const seen = store.get();
    const off = store.watch(() => render((n) => n + 1));
    // The value may have changed between the first render and this effect.
    if (seen !== store.get()) render((n) => n + 1);
    return off;
  }, [store]);
  return store.get();
}

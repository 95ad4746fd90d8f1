// Questions to the worker that wait for their answer.

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

export class Calls {
  private waiting = new Map<number, Waiting>();
  private count = 0;

  begin<T>(): { call: number; promise: Promise<T> } {
    const call = ++this.count;
    const promise = new Promise<T>((resolve, reject) => this.waiting.set(call, { resolve: resolve as (value: unknown) => void, reject }));
    return { call, promise };
  }

  resolve(call: number, value: unknown): void {
    this.waiting.get(call)?.resolve(value);
    this.waiting.delete(call);
  }

  reject(call: number, error: Error): void {
    this.waiting.get(call)?.reject(error);
    this.waiting.delete(call);
  }

  rejectAll(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

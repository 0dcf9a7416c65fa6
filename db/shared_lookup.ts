/**
 * Finds things by key with one query at a time: who asks while a query is under way goes with the next one, which begins after they asked. So many
 * requests cost few queries, and none of them sees a thing as it was before it asked. What is found is shared: do not change it.
 */
export class SharedLookup<T> {
  #next: { readonly keys: Set<string>; readonly found: Promise<ReadonlyMap<string, T>> } | undefined;
  #running: Promise<unknown> = Promise.resolve();

  /** @param query finds several at once, by their keys */
  constructor(private readonly query: (keys: string[]) => Promise<ReadonlyMap<string, T>>) {}

  /** The thing as it is now. Throws what the query throws. */
  async find(key: string): Promise<T | undefined> {
    const next = this.#next ??= this.#start();
    next.keys.add(key);
    return (await next.found).get(key);
  }

  #start() {
    const keys = new Set<string>();
    const found = this.#running.catch(() => undefined).then(() => {
      this.#next = undefined;
      return this.query([...keys]);
    });
    this.#running = found;
    return { keys, found };
  }
}

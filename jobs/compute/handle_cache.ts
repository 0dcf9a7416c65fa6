/** A value in use; disposing it gives it back to the cache. */
export interface Lease<T> extends Disposable {
  readonly value: T;
}

/** How a cache did since it was made, and what it holds now. */
export interface CacheStatistics {
  readonly hits: number;
  readonly misses: number;
  /** Values that were forgotten for want of room. */
  readonly evictions: number;
  readonly entries: number;
  readonly weight: number;
}

interface Entry<T> {
  readonly value: Promise<T>;
  weight: number;
  users: number;
  dropped: boolean;
}

/**
 * Keeps closable values between requests, least recently used out first, while their weights stay within the capacity.
 * A value in use is never closed: when everything is in use the capacity is exceeded until something is given back.
 * Simultaneous leases of an absent value make it once.
 */
export class HandleCache<T extends { close(): void }> {
  readonly #entries = new Map<string, Entry<T>>();
  #weight = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  constructor(readonly capacity: number, private readonly weigh: (value: T) => number) {}

  get statistics(): CacheStatistics {
    const [hits, misses, evictions] = [this.#hits, this.#misses, this.#evictions];
    return { hits, misses, evictions, entries: this.#entries.size, weight: this.#weight };
  }

  /** The value of `id`, made by `make` when absent; a failed `make` is not remembered. */
  async lease(id: string, make: () => Promise<T>): Promise<Lease<T>> {
    const known = this.#entries.get(id);
    if (known === undefined) this.#misses++;
    else this.#hits++;
    const entry = known ?? this.#add(id, make);
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    entry.users++;
    try {
      const value = await entry.value;
      this.#evict();
      return { value, [Symbol.dispose]: once(() => this.#giveBack(entry)) };
    } catch (error) {
      if (this.#entries.get(id) === entry) this.#entries.delete(id);
      throw error;
    }
  }

  /** Forgets the value; it is closed once nobody uses it. */
  drop(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#remove(id, entry);
  }

  /** Forgets everything. */
  close(): void {
    for (const id of [...this.#entries.keys()]) this.drop(id);
  }

  #add(id: string, make: () => Promise<T>): Entry<T> {
    const entry: Entry<T> = { value: make(), weight: 0, users: 0, dropped: false };
    this.#entries.set(id, entry);
    entry.value.then((value) => {
      if (entry.dropped) return;
      entry.weight = this.weigh(value);
      this.#weight += entry.weight;
    }, () => undefined);
    return entry;
  }

  #giveBack(entry: Entry<T>): void {
    entry.users--;
    if (entry.dropped) closeIdle(entry);
    this.#evict();
  }

  #evict(): void {
    for (const [id, entry] of this.#entries) {
      if (this.#weight <= this.capacity) return;
      if (entry.users > 0) continue;
      this.#evictions++;
      this.#remove(id, entry);
    }
  }

  #remove(id: string, entry: Entry<T>): void {
    this.#entries.delete(id);
    this.#weight -= entry.weight;
    entry.dropped = true;
    closeIdle(entry);
  }
}

function closeIdle<T extends { close(): void }>(entry: Entry<T>): void {
  if (entry.users === 0) entry.value.then((value) => value.close(), () => undefined);
}

function once(run: () => void): () => void {
  let left = 1;
  return () => {
    if (left-- > 0) run();
  };
}

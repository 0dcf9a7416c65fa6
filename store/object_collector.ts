import { endTask, takeTask } from "../db/mod.ts";
import { type Collected, collectObjects } from "./collect_objects.ts";
import type { ObjectParts } from "./keep_object.ts";

const TASK = "collect objects";
const MINUTE_MS = 60_000;
/** How often a process asks whether a collection is due. */
const ASK_MS = 5 * MINUTE_MS;
/** When the next one is due, for all processes. */
const EVERY_SECONDS = 3600;
/** A process that has not ended its collection after so long is taken for dead; a second one beside it does no harm. */
const LEASE_SECONDS = 6 * 3600;

/** What a collector works with. */
export interface CollectorParts extends ObjectParts {
  readonly config: ObjectParts["config"] & { readonly objectGraceMinutes: number };
  /** Told of every collection, and of every one that failed. */
  readonly onCollected: (collected: Collected) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Collects objects from time to time. Every process has one; the database lets one of them do it. */
export class ObjectCollector {
  readonly #holder = crypto.randomUUID();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(private readonly parts: CollectorParts) {}

  /** The first collection is due some minutes later: a start has better things to do. */
  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.collect().finally(() => this.start());
    }, ASK_MS);
  }

  /** Waits for a collection that runs. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Collects when it is due and nobody else does; never throws. */
  async collect(): Promise<void> {
    const { database, config, onCollected, onFailure } = this.parts;
    try {
      if (!await takeTask(database, TASK, this.#holder, LEASE_SECONDS)) return;
      const before = new Date(Date.now() - config.objectGraceMinutes * MINUTE_MS);
      onCollected(await collectObjects(this.parts, { before }));
    } catch (error) {
      onFailure(error);
    }
    await endTask(database, TASK, this.#holder, EVERY_SECONDS).catch(onFailure);
  }
}

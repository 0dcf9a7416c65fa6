/** The queue of parts: pg-boss on the database that holds everything else. Messages carry ids only. */
import { sql } from "drizzle-orm";
import { type ConstructorOptions, type DrizzleTransactionLike, fromDrizzle, fromPglite, PgBoss } from "pg-boss";
import type { Database } from "../db/mod.ts";
import { SottoError } from "../errors.ts";
import { details, knownError, type Log } from "./log.ts";
import { DEAD_QUEUE, QUEUE_NAMES } from "./queue_names.ts";

/** Names one part, and the message that may start it. */
export interface PartMessage {
  readonly jobId: string;
  readonly number: number;
  /** Id of the message itself, kept by the part: a message with another id is stale. */
  readonly message: string;
}

export interface SendOptions {
  /** Higher comes first. */
  readonly priority: number;
  /** Not before so many seconds have passed. */
  readonly delaySeconds?: number;
}

const DAY_SECONDS = 86_400;

/** A message whose worker gave no sign of life for so long goes to another one. */
export const HEARTBEAT_SECONDS = 10;

const QUEUE_OPTIONS = {
  notify: true,
  retryLimit: 3,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 60,
  heartbeatSeconds: HEARTBEAT_SECONDS,
  expireInSeconds: DAY_SECONDS,
  retentionSeconds: 365 * DAY_SECONDS,
  deleteAfterSeconds: DAY_SECONDS,
  deadLetter: DEAD_QUEUE,
};

/** How often a worker asks when nothing wakes it: when notifications come, and when the connection for them is lost. */
const POLLING = { pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 2 };

const OPTIONS: ConstructorOptions = {
  schedule: false,
  superviseIntervalSeconds: 2,
  monitorIntervalSeconds: 2,
  registerInstance: false,
  monitorVacuum: false,
  useListenNotify: true,
};

/** Connections of pg-boss's own pool. */
const CONNECTIONS = 4;

/** One process's side of the queue. */
export class Queue {
  readonly #boss: PgBoss;
  #started: Promise<void> | undefined;

  constructor({ connection }: Pick<Database, "connection">, log: Log) {
    this.#boss = connection.kind === "embedded"
      ? new PgBoss({ ...OPTIONS, db: fromPglite(connection.pglite), backend: "pglite" })
      : new PgBoss({ ...OPTIONS, connectionString: connection.url, max: CONNECTIONS, application_name: "sotto jobs" });
    this.#boss.on("error", (error) => log.warn("queue failed", details(knownError(error, "the queue failed"))));
  }

  /** Installs the tables of the queue where they are missing, and begins to look after lost messages. */
  start(): Promise<void> {
    return this.#started ??= this.#start();
  }

  async #start(): Promise<void> {
    await this.#boss.start();
    const found = new Set((await this.#boss.getQueues()).map(({ name }) => name));
    if (!found.has(DEAD_QUEUE)) await this.#boss.createQueue(DEAD_QUEUE, { notify: true, retryLimit: 100 });
    for (const name of QUEUE_NAMES) if (!found.has(name)) await this.#boss.createQueue(name, QUEUE_OPTIONS);
  }

  /** Adds messages in the transaction of `inside`. */
  async send(
    inside: Pick<Database, "queries">,
    queue: string,
    messages: readonly (PartMessage & SendOptions)[],
  ): Promise<void> {
    await this.start();
    const rows = messages.map(({ jobId, number, message, priority, delaySeconds }) => ({
      id: message,
      data: { jobId, number, message } satisfies PartMessage,
      priority,
      ...(delaySeconds === undefined ? {} : { startAfter: delaySeconds }),
    }));
    await this.#boss.insert(queue, rows, { db: fromDrizzle(inside.queries as unknown as DrizzleTransactionLike, sql) });
  }

  /**
   * Calls `handler` with the messages of a queue, one at a time. A message is done when it returns; it is tried again, later and
   * later, when it throws, or when this process gives no sign of life.
   */
  async work(queue: string, handler: (message: PartMessage) => Promise<void>): Promise<void> {
    await this.start();
    let id = "";
    id = await this.#boss.work<PartMessage>(queue, POLLING, async ([{ data }]) => {
      await handler(data);
      this.#boss.notifyWorker(id);
    });
  }

  /** Takes no further message from a queue; running handlers go on. */
  async leave(queue: string): Promise<void> {
    await this.#boss.offWork(queue, { wait: false });
  }

  /** Ends everything within so many seconds. */
  async stop(seconds: number): Promise<void> {
    if (this.#started === undefined) return;
    await this.#started.catch(() => undefined);
    await this.#boss.stop({ graceful: true, timeout: seconds * 1000 });
  }
}

/** Installs the tables of the queue: part of a migration. */
export async function installQueue(database: Database): Promise<void> {
  const log: Log = { info: () => {}, warn: () => {}, error: () => {} };
  const queue = new Queue(database, log);
  try {
    await queue.start();
  } catch (cause) {
    throw new SottoError("database_unavailable", "the tables of the queue cannot be made: run the migration again", {
      cause,
    });
  } finally {
    await queue.stop(1);
  }
}

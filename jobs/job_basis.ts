import type { Config } from "../config.ts";
import type { Database } from "../db/mod.ts";
import type { ObjectStore } from "../store/mod.ts";
import type { Log } from "./log.ts";
import type { Queue } from "./queue.ts";

/** What jobs live in. */
export interface JobBasis {
  readonly config: Config;
  readonly database: Database;
  readonly store: ObjectStore;
  readonly log: Log;
  readonly queue: Queue;
}

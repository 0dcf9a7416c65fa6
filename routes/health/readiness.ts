import { statfs } from "node:fs/promises";
import { checkKnownAnswers } from "../../circuits/known_answers.ts";
import { isSottoError } from "../../errors.ts";
import type { Services } from "../services.ts";

/** What a server needs to do its work. */
export const CHECKS = ["database", "migrations", "store", "kernels", "disk_space", "not_draining"] as const;

export interface CheckResult {
  readonly name: typeof CHECKS[number];
  readonly ok: boolean;
  /** What is wrong, without private detail. */
  readonly detail?: string;
}

const SECONDS_TO_ANSWER = 5;
/** Anyone may ask: the checks run once in that time at most. */
const REMEMBERED_MS = 1000;

/** Looks whether this server can work now. */
export class Readiness {
  #last: { readonly at: number; readonly results: Promise<CheckResult[]> } | undefined;
  #kernels: Promise<void> | undefined;

  constructor(private readonly services: Services) {}

  /** Every check with its outcome; those that cost something are a second old at most. Throws nothing. */
  async results(): Promise<CheckResult[]> {
    const draining = this.services.drain.ending ? "the server is stopping" : undefined;
    return [...await this.#remembered(), { name: "not_draining", ok: draining === undefined, detail: draining }];
  }

  #remembered(): Promise<CheckResult[]> {
    const now = performance.now();
    if (this.#last === undefined || now - this.#last.at > REMEMBERED_MS) {
      this.#last = { at: now, results: this.#check() };
    }
    return this.#last.results;
  }

  #check(): Promise<CheckResult[]> {
    const { database, store } = this.services;
    return Promise.all([
      checked("database", () => database.check()),
      checked("migrations", () => this.#checkMigrations()),
      checked("store", () => store.check()),
      checked("kernels", () => this.#checkKernels()),
      checked("disk_space", () => this.#checkDisk()),
    ]);
  }

  async #checkMigrations(): Promise<void> {
    const state = await this.services.database.schemaState();
    if (state !== "current") {
      throw new Finding(`the schema of the database is ${state} than this version of the server`);
    }
  }

  /** Once in the life of a process: its answers do not change. */
  #checkKernels(): Promise<void> {
    return this.#kernels ??= checkKnownAnswers(this.services.backend);
  }

  async #checkDisk(): Promise<void> {
    const { dataDir, diskFreeBytes } = this.services.config;
    const free = await freeBytes(dataDir);
    if (free < diskFreeBytes) {
      throw new Finding(`${free} bytes are free in the data folder: ${diskFreeBytes} are wanted`);
    }
  }
}

/** Bytes that may still be written below a folder. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** The outcome of a check, in words for anyone who asks. */
class Finding extends Error {}

async function checked(name: CheckResult["name"], check: () => Promise<void>): Promise<CheckResult> {
  try {
    await within(check());
    return { name, ok: true };
  } catch (error) {
    const isPublic = isSottoError(error) || error instanceof Finding;
    return { name, ok: false, detail: isPublic ? error.message : "it failed: see the server's log" };
  }
}

async function within(work: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const message = `no answer within ${SECONDS_TO_ANSWER} seconds`;
  const timer = setTimeout(() => reject(new Finding(message)), SECONDS_TO_ANSWER * 1000);
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

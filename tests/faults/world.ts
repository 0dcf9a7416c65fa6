/** A whole installation on this machine: PostgreSQL behind a proxy, a server, workers, a folder of objects. */
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";
import { startWorkerProcess, type WorkerProcess } from "../support/worker_process.ts";
import { Proxy } from "./proxy.ts";

/** A job of a few rows takes about a second, so that faults meet it. */
const ROW_MS = "150";

/** How an installation is laid out. */
export interface Layout {
  /** Workers in processes of their own; with none the server works itself. */
  readonly workers: number;
  /** Folder of the objects and temporary files; a new one by default. */
  readonly dataDir?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** One that runs. */
export class World implements AsyncDisposable {
  readonly #workers: WorkerProcess[] = [];
  #server!: ServerProcess;

  private constructor(
    readonly postgres: PostgresServer,
    /** Between the processes and PostgreSQL. */
    readonly proxy: Proxy,
    readonly dataDir: string,
    private readonly layout: Layout,
  ) {}

  static async start(layout: Layout): Promise<World> {
    const dataDir = layout.dataDir ?? await Deno.makeTempDir();
    const postgres = await startPostgres({ durable: true });
    const world = new World(postgres, new Proxy(postgres.port), dataDir, layout);
    try {
      await world.startServer();
      while (world.#workers.length < layout.workers) world.#workers.push(await world.#startWorker());
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The server that runs at the moment. */
  get server(): ServerProcess {
    return this.#server;
  }

  async startServer(): Promise<void> {
    this.#server = await startServerProcess(this.dataDir, this.#environment());
  }

  /** Kills a worker at once and starts another in its place. */
  async replaceWorker(number: number): Promise<void> {
    await this.#workers[number].end("SIGKILL");
    this.#workers[number] = await this.#startWorker();
  }

  /** Waits until the server says that it is ready. */
  async ready(): Promise<void> {
    for (let attempt = 0; attempt < 600; attempt++) {
      try {
        const answer = await fetch(`${this.#server.url}/readyz`, { signal: AbortSignal.timeout(5000) });
        await answer.body?.cancel();
        if (answer.ok) return;
      } catch {
        // It does not answer yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("the server did not become ready again");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.end("SIGKILL")));
    await this.#server?.end("SIGKILL").catch(() => undefined);
    await this.proxy[Symbol.asyncDispose]();
    await this.postgres[Symbol.asyncDispose]();
    if (this.layout.dataDir === undefined) await Deno.remove(this.dataDir, { recursive: true });
  }

  #environment(): Record<string, string> {
    return {
      DATABASE_URL: this.postgres.url.replace(`:${this.postgres.port}/`, `:${this.proxy.port}/`),
      SOTTO_DATA_DIR: this.dataDir,
      SOTTO_LOG_LEVEL: "error",
      SOTTO_MIGRATE: "auto",
      SOTTO_DISK_FREE_BYTES: "0",
      SOTTO_WORKER: String(this.layout.workers === 0),
      SOTTO_PART_ROWS: "2",
      SOTTO_TEST_ROW_MS: ROW_MS,
      ...this.layout.environment,
    };
  }

  #startWorker(): Promise<WorkerProcess> {
    return startWorkerProcess(this.dataDir, { ...this.#environment(), SOTTO_WORKER: "true" });
  }
}

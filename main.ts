/** Wires the server: configuration, database, object store, back end, HTTP. Run it with `deno run -A main.ts serve`. */
import { join } from "node:path";
import { type App, createApp, type Log, openLog } from "./app.ts";
import type { ServerBackend } from "./circuits/backend.ts";
import { type Config, readConfig } from "./config.ts";
import { type Database, lockFolder, openDatabase } from "./db/mod.ts";
import { isSottoError, SottoError } from "./errors.ts";
import { openFileStore } from "./store/mod.ts";

/** A server that listens. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly port: number;
  readonly database: Database;
  /** Settles when the server has stopped, whatever stopped it. */
  readonly finished: Promise<void>;
  /** Takes no new request, answers those that are running, closes everything but the back end. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Admits a back end that encrypts nothing: for tests only. */
  readonly allowInsecure?: boolean;
  /** Where the log goes; JSON lines on standard error when absent. */
  readonly log?: Log;
}

/**
 * Starts the server in this process; SIGINT and SIGTERM stop it. The back end stays the caller's.
 * Throws `insecure_parameter_set`, `data_folder_locked`, `database_unavailable` or `configuration_invalid`.
 */
export async function startServer(
  config: Config,
  backend: ServerBackend,
  options: StartOptions = {},
): Promise<RunningServer> {
  requireSecure(backend, options);
  const log = options.log ?? await openLog(config.logLevel);
  await using opened = new AsyncDisposableStack();
  const objects = join(config.dataDir, "objects");
  opened.adopt(await lockFolder(objects), (lock) => lock.release());
  await Deno.remove(join(config.dataDir, "spool"), { recursive: true }).catch(() => undefined);
  const store = await openFileStore(objects);
  const database = opened.adopt(await openDatabase(config), (open) => open.close());
  const app = opened.adopt(createApp({ config, database, store, backend, log }), (made) => made.close());
  await app.recover();
  const server = listen(config, app, log);
  const drain = () => app.drain(config.drainSeconds);
  return run({ server, database, drain, log, opened: opened.move() });
}

function requireSecure(backend: ServerBackend, { allowInsecure = false }: StartOptions): void {
  if (allowInsecure || !backend.parameterSet.startsWith("insecure")) return;
  const message = `the back end ${backend.name} (${backend.parameterSet}) does not protect anything`;
  throw new SottoError("insecure_parameter_set", `${message}: build the kernels and use one of theirs`);
}

type HttpServer = Deno.HttpServer<Deno.NetAddr>;

function listen({ host, port }: Config, app: App, log: Log): HttpServer {
  const onListen = (address: Deno.NetAddr) => log.info("listening", { hostname: address.hostname, port: address.port });
  try {
    return Deno.serve({ hostname: host, port, onListen }, (request) => app.fetch(request));
  } catch (cause) {
    const message = `cannot listen on ${host}:${port}: choose another SOTTO_HOST or SOTTO_PORT`;
    throw new SottoError("configuration_invalid", message, { cause });
  }
}

interface Running {
  readonly server: HttpServer;
  readonly database: Database;
  readonly drain: () => Promise<void>;
  readonly log: Log;
  readonly opened: AsyncDisposableStack;
}

/** `HttpServer.shutdown` cuts bodies that are being read, so the running requests get their answers before it is called. */
function run({ server, database, drain, log, opened }: Running): RunningServer {
  const { hostname, port } = server.addr;
  let stopping: Promise<void> | undefined;
  const stop = () => stopping ??= drain().then(() => server.shutdown());
  const forget = onSignals(() => stopping === undefined ? stop() : server.shutdown());
  const finished = server.finished.then(async () => {
    forget();
    await opened.disposeAsync();
    log.info("stopped", { port });
  });
  return {
    url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`,
    port,
    database,
    finished,
    async stop() {
      await stop();
      await finished;
    },
  };
}

/** Calls `stop` on the signals that ask for the end (a second one does not wait); the function returned forgets them. */
function onSignals(stop: () => Promise<void>): () => void {
  const listener = () => void stop();
  const signals: Deno.Signal[] = ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, listener);
  return () => signals.forEach((signal) => Deno.removeSignalListener(signal, listener));
}

/**
 * The command `serve`: the environment's configuration, the native kernels, until a signal. Who brings an own back end loads no
 * kernels.
 */
export async function serve(): Promise<void> {
  const config = readConfig();
  const { openBackend } = await import("./ffi/mod.ts");
  const backend = await openBackend({ library: config.library, backend: config.backend, threads: config.threads });
  try {
    await (await startServer(config, backend)).finished;
  } finally {
    backend.close();
  }
}

if (import.meta.main) {
  try {
    if (Deno.args[0] !== "serve") throw new SottoError("malformed_request", "usage: main.ts serve");
    await serve();
  } catch (error) {
    if (!isSottoError(error)) throw error;
    console.error(`error: ${error.message} (${error.code})`);
    Deno.exit(1);
  }
}

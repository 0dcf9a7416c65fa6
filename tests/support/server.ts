/** The app on a temporary folder, the embedded database and the plain back end, with two tenants and their tokens. */
import { join } from "node:path";
import { type App, createApp } from "../../app.ts";
import type { Backend } from "../../circuits/backend.ts";
import { plainBackend } from "../../circuits/plain.ts";
import { type Config, readConfig } from "../../config.ts";
import { createTenant, createToken, type Database, openDatabase } from "../../db/mod.ts";
import type { Log } from "../../jobs/mod.ts";
import { type ObjectStore, openFileStore } from "../../store/mod.ts";
import { makeDataFolder } from "./data_folder.ts";

/** Tokens of one tenant. */
export interface TestTenant {
  readonly id: string;
  readonly admin: string;
  readonly predict: string;
}

export interface TestServer {
  readonly app: App;
  readonly config: Config;
  readonly database: Database;
  readonly store: ObjectStore;
  readonly backend: Backend;
  /** Everything that was logged, as JSON lines. */
  readonly logged: string[];
  readonly ours: TestTenant;
  readonly theirs: TestTenant;
}

/** What `call` sends. */
export interface TestCall {
  readonly method?: string;
  readonly token?: string;
  readonly body?: BodyInit;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
  /** Address that the request seems to come from. */
  readonly remoteAddress?: string;
}

/** Opens a server, runs `work`, closes and removes everything. `settings` are changed configuration values. */
export async function withServer(
  work: (server: TestServer) => Promise<void>,
  settings: Partial<Config> & { backend?: never } = {},
  backend: Backend = plainBackend(),
): Promise<void> {
  const dataDir = await makeDataFolder();
  const config: Config = { ...readConfig({ SOTTO_DATA_DIR: dataDir }), ...settings };
  const database = await openDatabase(config);
  const store = await openFileStore(join(dataDir, "objects"));
  try {
    const logged: string[] = [];
    const app = createApp({ config, database, store, backend, log: collect(logged) });
    await app.start();
    const [ours, theirs] = [await makeTenant(database, "ours"), await makeTenant(database, "theirs")];
    await work({ app, config, database, store, backend, logged, ours, theirs });
    await app.close();
  } finally {
    await store.close();
    await database.close();
    backend.close();
    await Deno.remove(dataDir, { recursive: true });
  }
}

/** Sends a request to the app without a network. */
export function call({ app }: TestServer, path: string, sent: TestCall = {}): Promise<Response> {
  const headers = new Headers(sent.headers);
  if (sent.token !== undefined) headers.set("authorization", `Bearer ${sent.token}`);
  const { method, body, signal, remoteAddress } = sent;
  return Promise.resolve(app.request(path, { method, headers, body, signal }, { remoteAddress }));
}

/** A log that keeps its lines. */
export function collect(lines: string[]): Log {
  const keep = (message: string, properties: Record<string, unknown>) => {
    lines.push(JSON.stringify({ message, ...properties }));
  };
  return { info: keep, warn: keep, error: keep };
}

async function makeTenant(database: Database, name: string): Promise<TestTenant> {
  const { id } = await createTenant(database, name);
  const make = async (scope: "admin" | "predict") =>
    (await createToken(database, { tenant: id, scopes: [scope], days: 1 })).token;
  return { id, admin: await make("admin"), predict: await make("predict") };
}

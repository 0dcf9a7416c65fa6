/** The demo's server: in this process, on a free port, with a temporary data folder and one token. */
import type { Backend } from "../circuits/backend.ts";
import { readConfig } from "../config.ts";
import { createToken, type Database, findOrCreateTenant } from "../db/mod.ts";
import { type StartOptions, startServer } from "../main.ts";

/** A running server; disposing of it stops it and removes its data. */
export interface EmbeddedServer extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
}

/** Starts a server that lives until it is disposed of. */
export async function startEmbedded(backend: Backend, options: StartOptions = {}): Promise<EmbeddedServer> {
  const folder = await Deno.makeTempDir({ prefix: "sotto-demo-" });
  try {
    const config = readConfig({ SOTTO_PORT: "0", SOTTO_DATA_DIR: folder, SOTTO_LOG_LEVEL: "error" });
    const server = await startServer(config, backend, options);
    return {
      url: server.url,
      token: await makeToken(server.database),
      async [Symbol.asyncDispose]() {
        await server.stop();
        await Deno.remove(folder, { recursive: true });
      },
    };
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    throw error;
  }
}

async function makeToken(database: Database): Promise<string> {
  const tenant = await findOrCreateTenant(database, "demo");
  const { token } = await createToken(database, { tenant: tenant.id, scopes: ["predict", "admin"], days: 1 });
  return token;
}

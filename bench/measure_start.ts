/** How long the server takes to be ready, and what it holds while nothing is asked of it. */
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { SottoError } from "../errors.ts";
import { withPostgres } from "../tests/support/postgres.ts";
import { result } from "./results.ts";
import { median } from "./statistics.ts";
import type { Run } from "./suite.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const [STARTS, QUICK_STARTS] = [5, 3];
/** Before the memory is read: timers of every kind have run, and what the start left behind was collected. */
const IDLE_MS = 15_000;
const [POLL_MS, POLLS_MAX] = [10, 6000];

/** A started server, and the time until `/readyz` said so. */
interface Start {
  readonly seconds: number;
  readonly child: Deno.ChildProcess;
}

/** Starts of `main.ts serve` on databases that are set up, the native kernels included, and the resident memory of idle servers. */
export async function measureStart(run: Run): Promise<void> {
  const dataDir = await Deno.makeTempDir();
  try {
    await withPostgres((databaseUrl) => measureOn(run, "postgres", { dataDir, databaseUrl }));
    await measureOn(run, "pglite", { dataDir, databaseUrl: "" });
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

interface Place {
  readonly dataDir: string;
  readonly databaseUrl: string;
}

async function measureOn({ log, add, quick }: Run, name: "postgres" | "pglite", place: Place): Promise<void> {
  const first = await start(place);
  add(result(`service.first_start_s.${name}`, first.seconds, "s"));
  await stop(first);
  const seconds: number[] = [];
  for (let i = 0; i < (quick ? QUICK_STARTS : STARTS); i++) {
    const started = await start(place);
    seconds.push(started.seconds);
    await stop(started);
  }
  add(result(`service.cold_start_s.${name}`, median(seconds), "s"));
  log(`service: starts on ${name} took ${seconds.map((value) => value.toFixed(2)).join(", ")} s`);
  const idle = await start(place);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  add(result(name === "postgres" ? "service.idle_memory_mb" : "service.idle_memory_mb.pglite", memoryOf(idle), "MB"));
  await stop(idle);
}

async function start({ dataDir, databaseUrl }: Place): Promise<Start> {
  const port = freePort();
  const env = {
    SOTTO_PORT: String(port),
    SOTTO_DATA_DIR: join(dataDir, databaseUrl === "" ? "embedded" : "server"),
    DATABASE_URL: databaseUrl,
    SOTTO_LOG_LEVEL: "error",
  };
  const begin = performance.now();
  const args = ["run", "-A", "--no-check", MAIN, "serve"];
  const child = new Deno.Command(Deno.execPath(), { args, env, stdin: "null", stdout: "null" }).spawn();
  let ended = false;
  child.status.then(() => ended = true);
  for (let poll = 0; poll < POLLS_MAX && !ended; poll++) {
    if (await isReady(port)) return { seconds: (performance.now() - begin) / 1000, child };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  if (!ended) child.kill("SIGKILL");
  throw new SottoError("internal", "the server did not become ready: see what it wrote");
}

async function isReady(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

async function stop({ child }: Start): Promise<void> {
  child.kill("SIGTERM");
  await child.status;
}

/** Resident megabytes, as Linux counts them. */
function memoryOf({ child }: Start): number {
  const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024 / 1e6;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

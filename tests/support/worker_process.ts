import { TextLineStream } from "./text_lines.ts";

/** A worker in a process of its own. */
export interface WorkerProcess {
  readonly pid: number;
  /** Sends the signal and waits for the end of the process. */
  end(signal: Deno.Signal): Promise<Deno.CommandStatus>;
}

/** Starts `plain_worker.ts` on the folder of a server, with its DATABASE_URL and further environment variables, and waits until it works. */
export async function startWorkerProcess(dataDir: string, environment: Record<string, string>): Promise<WorkerProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("./plain_worker.ts", import.meta.url).pathname],
    env: { SOTTO_DATA_DIR: dataDir, SOTTO_LOG_LEVEL: "error", ...environment },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()).getReader();
  const { value } = await lines.read();
  if (value === undefined) throw new Error("the worker process ended before it worked");
  return {
    pid: child.pid,
    async end(signal) {
      child.kill(signal);
      const status = await child.status;
      await lines.cancel();
      return status;
    },
  };
}

import { TextLineStream } from "./text_lines.ts";

/** A server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  /** Of the scope admin. */
  readonly token: string;
  readonly tenant: string;
  readonly pid: number;
  /** Sends the signal and waits for the end of the process. */
  end(signal: Deno.Signal): Promise<Deno.CommandStatus>;
}

/** Starts `plain_server.ts` on a data folder, with further environment variables, and waits until it listens. */
export async function startServerProcess(
  dataDir: string,
  environment: Record<string, string> = {},
): Promise<ServerProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("./plain_server.ts", import.meta.url).pathname],
    env: { SOTTO_DATA_DIR: dataDir, SOTTO_PORT: "0", SOTTO_LOG_LEVEL: "error", DATABASE_URL: "", ...environment },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()).getReader();
  const { value } = await lines.read();
  if (value === undefined) throw new Error("the server process ended before it listened");
  return {
    ...JSON.parse(value),
    pid: child.pid,
    async end(signal: Deno.Signal) {
      child.kill(signal);
      const status = await child.status;
      await lines.cancel();
      return status;
    },
  };
}

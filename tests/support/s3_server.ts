/** A real S3-compatible server for tests: moto, in a process of its own, with everything in its memory. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pythonTools } from "../clients/python_tools.ts";

/** A server that listens. */
export interface S3Server {
  /** Such as `http://127.0.0.1:5000`. */
  readonly endpoint: string;
  /** Ends the process at once; what it stored is gone. */
  kill(): Promise<void>;
}

/** Starts a server, which ends with this process at the latest; makes up credentials in this process's environment. */
export async function startS3Server(): Promise<S3Server> {
  Deno.env.set("AWS_ACCESS_KEY_ID", "test");
  Deno.env.set("AWS_SECRET_ACCESS_KEY", "test");
  const bin = await pythonTools("s3_server", fileURLToPath(new URL("./s3_server.txt", import.meta.url)));
  const port = freePort();
  const args = ["-H", "127.0.0.1", "-p", String(port)];
  const child = new Deno.Command(join(bin, "moto_server"), { args, stdin: "null", stdout: "null", stderr: "null" })
    .spawn();
  const end = () => child.kill("SIGKILL");
  globalThis.addEventListener("unload", end);
  const kill = async () => {
    globalThis.removeEventListener("unload", end);
    end();
    await child.status;
  };
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await answering(endpoint);
  } catch (error) {
    await kill();
    throw error;
  }
  return { endpoint, kill };
}

/** A port that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answering(endpoint: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    try {
      await (await fetch(endpoint)).body?.cancel();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`the S3 server does not answer at ${endpoint}`);
}

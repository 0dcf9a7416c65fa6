/** Runs the command line in this process against a server with the plain back end. */
import { join } from "node:path";
import type { Backend } from "../../circuits/backend.ts";
import { plainBackend } from "../../circuits/plain.ts";
import { run } from "../../cli/main.ts";
import type { Context } from "../../cli/context.ts";
import { readConfig } from "../../config.ts";
import { startServer } from "../../main.ts";

/** A log that keeps nothing. */
export const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

export const FIXTURES = new URL("../fixtures/", import.meta.url).pathname;

/** What one run of the command line gave. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `sotto ...args` without a terminal; `replaced` may give environment variables, answers to questions, and so on. */
export async function sotto(args: readonly string[], replaced: Partial<Context> = {}): Promise<Outcome> {
  let [out, err] = ["", ""];
  const code = await run(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    isTerminal: false,
    environment: () => undefined,
    openBackend: plainBackend,
    ...replaced,
  });
  return { code, out, err };
}

/** A folder that is removed afterwards. */
export async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sotto-cli-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A server on a loopback port with a fresh data folder and one token of both scopes. */
export interface TestServer {
  readonly url: string;
  readonly token: string;
  /** For the files of the test. */
  readonly folder: string;
  /** Runs the command line with `--url` and `--token` of this server. */
  readonly sotto: (args: readonly string[], replaced?: Partial<Context>) => Promise<Outcome>;
}

/** Starts a server, with further environment variables and another back end if given, runs the test, stops the server. */
export async function withServer(
  test: (server: TestServer) => Promise<void>,
  environment: Record<string, string> = {},
  backend: Backend = plainBackend(),
): Promise<void> {
  await withFolder(async (folder) => {
    const dataDir = join(folder, "data");
    const made = await sotto(["tokens", "create", "--tenant", "tests", "--data", dataDir]);
    const token = made.out.trim();
    const config = readConfig({ SOTTO_PORT: "0", SOTTO_DATA_DIR: dataDir, ...environment });
    const server = await startServer(config, backend, { allowInsecure: true, log: SILENT });
    try {
      const access = ["--url", server.url, "--token", token];
      await test({ url: server.url, token, folder, sotto: (args, replaced) => sotto([...args, ...access], replaced) });
    } finally {
      await server.stop();
    }
  });
}

/** What a command sees of the process around it, so that tests run commands in their own process. */
import process from "node:process";
import type { Backend } from "../circuits/backend.ts";
import { askHidden } from "./ask_hidden.ts";

/** The streams, the terminal and the back end of one run of the command line. */
export interface Context {
  /** Writes to standard output: results only. */
  readonly out: (text: string) => void;
  /** Writes to standard error: notes, warnings, errors. */
  readonly err: (text: string) => void;
  /** True when standard error is a terminal: progress bars and questions are allowed. */
  readonly isTerminal: boolean;
  /** One environment variable. */
  readonly environment: (name: string) => string | undefined;
  /** Asks for a line without showing what is typed. Only called when `isTerminal`. */
  readonly askHidden: (question: string) => Promise<string>;
  /** Calls `stop` when the user interrupts the command (Ctrl-C); disposing of the answer ends that. A second one ends the process. */
  readonly onInterrupt: (stop: () => void) => Disposable;
  /** Opens the back end. Called once a run at most; the command closes it. */
  readonly openBackend: (settings?: BackendSettings) => Backend | Promise<Backend>;
}

/** Which kernels to load; what is left out is chosen for this machine. */
export interface BackendSettings {
  readonly library?: string;
  readonly backend?: string;
  readonly threads?: number;
}

/** The context of the real command: this process, and the native kernels. */
export function processContext(): Context {
  return {
    out: (text) => writeAll(1, text),
    err: (text) => writeAll(2, text),
    isTerminal: Boolean(process.stderr.isTTY && process.stdin.isTTY),
    environment: (name) => Deno.env.get(name),
    askHidden,
    onInterrupt,
    openBackend: openNative,
  };
}

function onInterrupt(stop: () => void): Disposable {
  const end = () => Deno.removeSignalListener("SIGINT", listener);
  const listener = () => {
    end();
    stop();
  };
  Deno.addSignalListener("SIGINT", listener);
  return { [Symbol.dispose]: end };
}

async function openNative(settings: BackendSettings = {}): Promise<Backend> {
  const { openBackend } = await import("../ffi/mod.ts");
  return openBackend({
    library: settings.library ?? Deno.env.get("SOTTO_LIBRARY"),
    backend: settings.backend ?? Deno.env.get("SOTTO_BACKEND"),
    threads: settings.threads,
  });
}

function writeAll(stream: 1 | 2, text: string): void {
  const target = stream === 1 ? Deno.stdout : Deno.stderr;
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(target.writeSync(bytes));
}

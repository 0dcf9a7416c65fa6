/** What a run was measured on. */
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { runProgram } from "./programs.ts";

export interface Machine {
  /** The processor's name for itself. */
  readonly cpu: string;
  readonly cores: number;
  readonly memory_bytes: number;
  /** The back end that `auto` chose: "cpu/avx512ifma" and so on. */
  readonly backend: string;
}

export function describeMachine(backend: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: navigator.hardwareConcurrency,
    memory_bytes: totalmem(),
    backend,
  };
}

/** The commit of this checkout, `-dirty` when its files differ; "unknown" outside a repository. */
export async function currentCommit(): Promise<string> {
  const args = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"];
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  return await runProgram("git", args, { cwd }).then((words) => words.trim(), () => "unknown");
}

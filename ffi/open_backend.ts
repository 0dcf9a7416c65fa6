/** Chooses the library and the back end: GPUs where they answer, else this processor. */
import { existsSync } from "node:fs";
import type { Backend } from "../circuits/backend.ts";
import { isSottoError, SottoError } from "../errors.ts";
import { CUDA_LIBRARY, openLibrary } from "./library.ts";
import { NativeBackend } from "./native_backend.ts";

export interface OpenOptions {
  /** Path of the library; default: where `deno task build` puts it, and `deno task build:cuda` for GPUs. */
  readonly library?: string;
  /**
   * "auto" (the default): "cuda" where its library is built and a GPU answers, else "cpu", and `note` of the back end says why.
   * "cuda": GPUs or nothing. "cpu": the fastest of this processor, or one by name: "ref", "portable", "avx2", "avx512ifma".
   */
  readonly backend?: string;
  /** Worker threads; 0 or absent: all cores. */
  readonly threads?: number;
}

/** Opens the library and makes one context of it. Throws `library_missing`, `configuration_invalid`, `out_of_memory` or `device_failed`. */
export function openBackend(options: OpenOptions = {}): Backend {
  const { backend = "auto", library, threads } = options;
  if (backend === "auto") return openAutomatic(options);
  if (!backend.startsWith("cuda")) return openNamed(library, backend, threads);
  if (library === undefined && !existsSync(CUDA_LIBRARY)) {
    throw new SottoError(
      "library_missing",
      `the library for GPUs ${CUDA_LIBRARY} is not there: run "deno task build:cuda"`,
    );
  }
  return openNamed(library ?? CUDA_LIBRARY, backend, threads);
}

function openAutomatic({ library, threads }: OpenOptions): Backend {
  const candidate = library ?? CUDA_LIBRARY;
  if (!existsSync(candidate)) return openNamed(library, "cpu", threads, `no GPU is used: ${candidate} is not built`);
  try {
    return openNamed(candidate, "cuda", threads);
  } catch (error) {
    if (!isSottoError(error)) throw error;
    return openNamed(library, "cpu", threads, `no GPU is used: ${error.message}`);
  }
}

function openNamed(path: string | undefined, backend: string, threads = 0, note?: string): Backend {
  const library = openLibrary(path);
  try {
    return new NativeBackend(library, { backend, threads, note });
  } catch (error) {
    library.close();
    throw error;
  }
}

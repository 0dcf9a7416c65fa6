/** Opens the native library: the only `Deno.dlopen` of the project. Importing this file has no side effect. */
import { fileURLToPath } from "node:url";
import { SottoError } from "../errors.ts";
import { ABI_VERSION, STATUS, symbols } from "./symbols.generated.ts";

export type Library = Deno.DynamicLibrary<typeof symbols>;
export type Symbols = Library["symbols"];

/** Where `deno task build` puts the library. */
export const DEFAULT_LIBRARY = fileURLToPath(new URL("../build/kernels/libsotto.so", import.meta.url));

/** Where `deno task build:cuda` puts the one for GPUs. */
export const CUDA_LIBRARY = fileURLToPath(new URL("../build/cuda/libsotto.so", import.meta.url));
/** A GPU that failed may be back, or its server restarted. */
const DEVICE_RETRY_SECONDS = 30;

/** Opens the library and checks that it speaks this ABI. Throws `library_missing`. */
export function openLibrary(path = DEFAULT_LIBRARY): Library {
  let library: Library;
  try {
    library = Deno.dlopen(path, symbols);
  } catch (cause) {
    throw new SottoError("library_missing", `the native library ${path} cannot be opened: run "deno task build"`, {
      cause,
    });
  }
  const version = library.symbols.sotto_abi_version();
  if (version === ABI_VERSION) return library;
  library.close();
  throw new SottoError(
    "library_missing",
    `the native library ${path} has ABI version ${version}, this program needs ${ABI_VERSION}: run "deno task build" again`,
  );
}

/** Throws the typed error of a failed call. `where` names the operation for people. Only for calls made on this thread. */
export function check(symbols: Symbols, status: number, where: string): void {
  if (status === 0) return;
  const text = new Uint8Array(256);
  symbols.sotto_last_error(text, BigInt(text.length));
  throw nativeError(status, where, new TextDecoder().decode(text.subarray(0, text.indexOf(0))));
}

/** The error of a call that ran on another thread, whose message stayed there. */
export function checkAsync(status: number, where: string): void {
  if (status !== 0) throw nativeError(status, where, (STATUS[status] ?? `status ${status}`).replaceAll("_", " "));
}

function nativeError(status: number, where: string, message: string): SottoError {
  switch (STATUS[status]) {
    case "cancelled":
      return new SottoError("cancelled", `${where} was cancelled`);
    case "out_of_memory":
      return new SottoError("out_of_memory", `${where}: ${message}`);
    case "device_failed":
      return new SottoError("busy", `${where}: a GPU failed (${message}): send it again later`, {
        retryAfter: DEVICE_RETRY_SECONDS,
      });
    case "malformed":
      return new SottoError("malformed_file", `${where}: ${message}`);
    case "unsupported":
      return new SottoError("configuration_invalid", `${where}: ${message}`);
    default:
      return new SottoError("backend_failed", `${where}: ${message}`);
  }
}

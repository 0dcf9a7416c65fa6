/** How importers refuse: one function a code, so that messages read alike. */
import { SottoError } from "../errors.ts";

/** The file is well formed but holds what Sotto does not run, or what makes no sense. */
export function refuseModel(message: string): never {
  throw new SottoError("model_refused", message);
}

/** The bytes are not a file of the announced format. */
export function refuseFile(message: string, cause?: unknown): never {
  throw new SottoError("malformed_file", message, { cause });
}

/** A row cannot be read as the model's features. */
export function refuseRow(message: string): never {
  throw new SottoError("rows_refused", message);
}

/** "tree 3, node 5": how messages name a place. */
export function place(tree: number, node: number): string {
  return `tree ${tree}, node ${node}`;
}

/** Runs a library's decoder; whatever it throws means that the bytes are malformed. */
export function decoding<T>(what: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    return refuseFile(`This is not ${what}: ${error instanceof Error ? error.message : "it cannot be read"}.`, error);
  }
}

/** Files of the command line: clear errors, private modes, never overwritten by accident. */
import { SottoError } from "../errors.ts";
import type { Context } from "./context.ts";

const PRIVATE_MODE = 0o600;

/** Reads a whole file. @throws SottoError file_unreadable naming it. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (cause) {
    throw new SottoError("file_unreadable", `cannot read ${path}: ${reason(cause)}`, { cause });
  }
}

/** How a file is created. */
export interface Creation {
  /** Readable and writable by its owner only. */
  readonly isPrivate?: boolean;
  /** Replace an existing file. */
  readonly force?: boolean;
}

/**
 * Creates a file; an existing one is only replaced with `force`.
 * @throws SottoError conflict when the file exists, file_unreadable when it cannot be written.
 */
export async function writeNew(path: string, content: Uint8Array | string, creation: Creation = {}): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  try {
    if (creation.force) await Deno.remove(path).catch(ignoreAbsent);
    using file = await Deno.open(path, {
      write: true,
      createNew: true,
      mode: creation.isPrivate ? PRIVATE_MODE : 0o644,
    });
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) {
      throw new SottoError("conflict", `${path} exists already: choose another name, or pass --force to replace it`);
    }
    throw new SottoError("file_unreadable", `cannot write ${path}: ${reason(cause)}`, { cause });
  }
}

/** @throws SottoError conflict when one of the files exists and may not be replaced. */
export async function refuseExisting(paths: readonly string[], force: boolean | undefined): Promise<void> {
  if (force) return;
  for (const path of paths) {
    const exists = await Deno.lstat(path).then(() => true, () => false);
    if (exists) {
      throw new SottoError("conflict", `${path} exists already: choose another name, or pass --force to replace it`);
    }
  }
}

/** Warns when a file that holds a secret can be read by other users of this machine. */
export async function warnIfShared(context: Context, path: string): Promise<void> {
  const mode = await Deno.stat(path).then((info) => info.mode, () => null);
  if (mode !== null && (mode & 0o077) !== 0) {
    context.err(`warning: ${path} can be read by other users: run chmod 600 ${path}\n`);
  }
}

/** Writes a result to a file, or to standard output when no file is named. */
export async function writeResult(context: Context, path: string | undefined, text: string, force?: boolean) {
  if (path === undefined) context.out(text);
  else await writeNew(path, text, { force });
}

function reason(cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) return "there is no such file or folder";
  if (cause instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (cause instanceof Deno.errors.IsADirectory) return "it is a folder";
  return cause instanceof Error ? cause.message.replace(/ \(os error \d+\).*/, "") : String(cause);
}

function ignoreAbsent(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

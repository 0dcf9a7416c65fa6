import { dirname } from "node:path";
import { SottoError } from "../errors.ts";

/** One process at a time; ends with the process, however it ends. */
export interface FolderLock {
  release(): void;
}

/**
 * Takes the exclusive lock of a folder: an operating-system lock on `FOLDER.lock`, which also holds the process id for people.
 * The lock of a dead process is gone with it, so it is taken over. Throws `data_folder_locked` when another holder lives.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = `${folder.replace(/\/+$/, "")}.lock`;
  await Deno.mkdir(dirname(path), { recursive: true });
  const file = await Deno.open(path, { create: true, read: true, write: true, mode: 0o600 });
  if (!(await file.tryLock(true))) {
    file.close();
    throw new SottoError("data_folder_locked", await lockedMessage(folder, path));
  }
  await file.truncate();
  await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  return once(() => file.close());
}

async function lockedMessage(folder: string, path: string): Promise<string> {
  const holder = (await Deno.readTextFile(path)).trim();
  const who = holder === "" ? "another process" : `process ${holder}`;
  return `${folder} is in use by ${who}: stop it, choose another SOTTO_DATA_DIR, or set DATABASE_URL`;
}

function once(close: () => void): FolderLock {
  let open = true;
  return {
    release() {
      if (open) close();
      open = false;
    },
  };
}

/** Where a client keeps the cached masks of answers: they are public, large, and fetched once a session. */
import { join } from "node:path";

export interface MaskStore {
  /** The masks of a name, fetched when they are not there. */
  get(name: string, fetch: () => Promise<Uint8Array>): Promise<Uint8Array>;
}

/** In memory: fast, and as large as the session's `mask_bytes`. */
export class MemoryMasks implements MaskStore {
  readonly #masks = new Map<string, Promise<Uint8Array>>();

  async get(name: string, fetch: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const masks = this.#masks.get(name) ?? fetch();
    this.#masks.set(name, masks);
    try {
      return await masks;
    } catch (error) {
      this.#masks.delete(name);
      throw error;
    }
  }
}

/** In files of a folder, one a name; a file is complete or absent. */
export class FolderMasks implements MaskStore {
  constructor(readonly folder: string) {}

  async get(name: string, fetch: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const path = join(this.folder, name);
    const kept = await Deno.readFile(path).catch(() => undefined);
    if (kept) return kept;
    const masks = await fetch();
    await Deno.mkdir(this.folder, { recursive: true });
    const temporary = `${path}.${crypto.randomUUID()}`;
    await Deno.writeFile(temporary, masks);
    await Deno.rename(temporary, path);
    return masks;
  }
}

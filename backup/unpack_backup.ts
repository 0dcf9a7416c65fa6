import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { SCHEMA_VERSION, TABLES } from "../db/mod.ts";
import { isSottoError, SottoError } from "../errors.ts";
import type { ObjectStore } from "../store/mod.ts";
import { MANIFEST, type Manifest, notABackup, parseManifest } from "./manifest.ts";
import { tableFile } from "./spool_tables.ts";

/**
 * Reads a backup: its tables go to files of the folder, its objects to the store, everything checked by its digest.
 * Throws `file_unreadable`, `malformed_file` or `schema_version_wrong`.
 */
export async function unpackBackup(file: string, folder: string, store: ObjectStore): Promise<Manifest> {
  const entries = extract();
  const reading = pipeline(createReadStream(file), entries);
  reading.catch(() => undefined);
  try {
    const unpacking = new Unpacking(folder, store);
    for await (const entry of entries) {
      await unpacking.take({ header: entry.header, content: ReadableStream.from(entry as AsyncIterable<Bytes>) });
    }
    await reading;
    return unpacking.end();
  } catch (error) {
    entries.destroy();
    if (isSottoError(error)) throw error;
    if ((error as { code?: unknown }).code !== "ENOENT") throw notABackup("it ends early or is no tar file", error);
    throw new SottoError("file_unreadable", `${file} cannot be read`, { cause: error });
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

/** One file of the backup. Its content must be read to its end. */
interface Entry {
  readonly header: { readonly name: string; readonly size: number };
  readonly content: ReadableStream<Bytes>;
}

class Unpacking {
  #manifest: Manifest | undefined;
  readonly #tables = new Set<string>();
  #objects = 0;

  constructor(private readonly folder: string, private readonly store: ObjectStore) {}

  async take({ header: { name, size }, content }: Entry): Promise<void> {
    if (this.#manifest === undefined) return await this.#takeManifest(name, content);
    const table = this.#manifest.tables.find((table) => `tables/${tableFile(table.name)}` === name);
    if (table !== undefined) return await this.#takeTable(table, content);
    const digest = /^objects\/([0-9a-f]{64})$/.exec(name)?.[1];
    if (digest === undefined) throw notABackup(`it holds ${name}`);
    await this.#takeObject(digest, size, content);
  }

  /** Throws `malformed_file` when something is missing. */
  end(): Manifest {
    const manifest = this.#manifest;
    if (manifest === undefined) throw notABackup("it is empty");
    const missing = manifest.tables.find(({ name }) => !this.#tables.has(name));
    if (missing !== undefined) throw notABackup(`the table ${missing.name} is missing`);
    const { included, count } = manifest.objects;
    if (included && count !== this.#objects) throw notABackup(`it holds ${this.#objects} objects of ${count}`);
    return manifest;
  }

  async #takeManifest(name: string, content: ReadableStream<Bytes>): Promise<void> {
    if (name !== MANIFEST) throw notABackup(`it begins with ${name}`);
    const manifest = parseManifest(await new Response(content).text());
    requireSchema(manifest);
    this.#manifest = manifest;
  }

  async #takeTable(table: Manifest["tables"][number], content: ReadableStream<Bytes>): Promise<void> {
    const hash = createHash("sha256");
    const hashing = new TransformStream<Bytes, Bytes>({
      transform(chunk, controller) {
        hash.update(chunk);
        controller.enqueue(chunk);
      },
    });
    const path = join(this.folder, tableFile(table.name));
    await Deno.writeFile(path, content.pipeThrough(hashing), { createNew: true, mode: 0o600 });
    if (hash.digest("hex") !== table.sha256) throw notABackup(`the table ${table.name} was changed`);
    this.#tables.add(table.name);
  }

  async #takeObject(digest: string, size: number, content: ReadableStream<Uint8Array>): Promise<void> {
    const staged = await this.store.stage(content, { maxBytes: size });
    try {
      if (staged.digest !== digest) throw notABackup(`the object ${digest} was changed`);
      await staged.commit();
    } finally {
      await staged.discard();
    }
    this.#objects++;
  }
}

function requireSchema({ schema, tables }: Manifest): void {
  if (schema !== SCHEMA_VERSION) {
    const which = schema < SCHEMA_VERSION ? "an older" : "a newer";
    const message = `the backup was made by ${which} version of Sotto: restore it with that version, then migrate`;
    throw new SottoError("schema_version_wrong", message);
  }
  const unknown = tables.find(({ name }) => !TABLES.includes(name));
  if (unknown !== undefined) throw notABackup(`there is no table ${unknown.name}`);
}

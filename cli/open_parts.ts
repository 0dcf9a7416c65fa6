import type { Config } from "../config.ts";
import type { Database } from "../db/mod.ts";
import type { ObjectStore } from "../store/mod.ts";

/** Database and object store of a server, opened by a command on its machine; disposing of them closes both. */
export interface ServerParts extends AsyncDisposable {
  readonly database: Database;
  readonly store: ObjectStore;
}

/** Opens what the configuration names. Throws `data_folder_locked`, `database_unavailable` or `store_unavailable`. */
export async function openParts(config: Config): Promise<ServerParts> {
  const { openDatabase } = await import("../db/mod.ts");
  const { openStore } = await import("../store/mod.ts");
  await using stack = new AsyncDisposableStack();
  const store = stack.adopt(await openStore(config), (opened) => opened.close());
  const database = stack.adopt(await openDatabase(config), (opened) => opened.close());
  const rest = stack.move();
  return { database, store, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

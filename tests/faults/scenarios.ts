/** The faults. */
import { join } from "node:path";
import type { Scenario } from "./scenario.ts";
import { slowClients } from "./slow_clients.ts";
import { withSmallDisk } from "./small_disk.ts";
import type { Layout } from "./world.ts";

/** How long a fault lasts that does not end by itself. */
const FAULT_MS = 1500;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const laidOut = (layout: Layout) => (work: (layout: Layout) => Promise<void>) => work(layout);

/** By the names of the table. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "kill -9 of the server",
    prepare: laidOut({ workers: 0 }),
    async strike({ world }) {
      await world.server.end("SIGKILL");
      await world.startServer();
    },
  },
  {
    name: "kill -9 of a worker",
    prepare: laidOut({ workers: 2 }),
    strike: ({ world }, run) => world.replaceWorker(run % 2),
  },
  {
    name: "kill -9 of PostgreSQL",
    prepare: laidOut({ workers: 1 }),
    async strike({ world }) {
      await world.postgres.end("SIGKILL");
      await pause(FAULT_MS);
      await world.postgres.start();
    },
  },
  {
    name: "database connections cut",
    prepare: laidOut({ workers: 1 }),
    async strike({ world }) {
      world.proxy.cut();
      await pause(FAULT_MS);
      world.proxy.mend();
    },
  },
  {
    name: "disk full",
    prepare: (work) => withSmallDisk((dataDir) => work({ workers: 1, dataDir })),
    strike: ({ world }) => fillDisk(world.dataDir),
  },
  {
    name: "object store failing",
    prepare: laidOut({ workers: 1 }),
    strike: ({ world }) => takeAway(join(world.dataDir, "objects")),
  },
  {
    name: "slow clients",
    prepare: laidOut({ workers: 1, environment: { SOTTO_UPLOAD_IDLE_SECONDS: "2" } }),
    strike: ({ world, prepared }) => slowClients(world.server, prepared),
  },
];

/** Writes until nothing more fits, waits, and makes room again. */
async function fillDisk(folder: string): Promise<void> {
  const path = join(folder, "ballast.lock");
  const file = await Deno.open(path, { create: true, write: true });
  const block = new Uint8Array(64 * 1024);
  try {
    for (;;) await file.write(block);
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOSPC") throw error;
  } finally {
    file.close();
  }
  await pause(FAULT_MS);
  await Deno.remove(path);
}

/** As when a network file system is gone: nothing below the folder can be read or written until it is back. */
async function takeAway(folder: string): Promise<void> {
  const away = `${folder}.away`;
  await Deno.rename(folder, away);
  await Deno.writeTextFile(folder, "");
  await pause(FAULT_MS);
  await Deno.remove(folder);
  await Deno.rename(away, folder);
}

import { and, eq, lt, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { sharedTasks } from "./schema.ts";

const fromNow = (seconds: number) => sql`now() + make_interval(secs => ${seconds})`;

/**
 * Takes a task that one process at a time does for all: true when it is due and nobody else has it. After so many seconds others may take
 * it, whatever became of the process.
 */
export async function takeTask(database: Database, name: string, holder: string, seconds: number): Promise<boolean> {
  const until = fromNow(seconds);
  const taken = await database.queries.insert(sharedTasks).values({ name, holder, until })
    .onConflictDoUpdate({
      target: sharedTasks.name,
      set: { holder, until },
      setWhere: lt(sharedTasks.until, sql`now()`),
    })
    .returning({ name: sharedTasks.name });
  return taken.length > 0;
}

/** Says when a task that `holder` has taken is due again. */
export async function endTask(database: Database, name: string, holder: string, seconds: number): Promise<void> {
  await database.queries.update(sharedTasks).set({ until: fromNow(seconds) })
    .where(and(eq(sharedTasks.name, name), eq(sharedTasks.holder, holder)));
}

/** The service as a whole. */
import { measureLoad } from "./measure_load.ts";
import { measureStart } from "./measure_start.ts";
import { measureWorkers } from "./measure_workers.ts";
import type { Run } from "./suite.ts";

/** Starts and idle memory of the server, jobs shared by workers, and many clients at once. */
export async function serviceSuite(run: Run): Promise<void> {
  await measureStart(run);
  await measureWorkers(run);
  await measureLoad(run);
}

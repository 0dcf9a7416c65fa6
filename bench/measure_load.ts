/** Many clients of two tenants at once: what `deno task load` runs, as figures. */
import { SottoError } from "../errors.ts";
import { faultsOf } from "../tests/load/judge.ts";
import { runLoad } from "../tests/load/load_run.ts";
import { result } from "./results.ts";
import type { Run } from "./suite.ts";

const LONG = { clients: 1000, seconds: 600 };
const SHORT = { clients: 1000, seconds: 30 };
const MEBIBYTE = 1024 * 1024;

/** Adds the figures; an answer that is wrong, or a refusal that is not honest, fails the suite. */
export async function measureLoad({ quick, log, add }: Run): Promise<void> {
  const figures = await runLoad(quick ? SHORT : LONG);
  add(result("service.load_rows_per_s", figures.rowsPerSecond, "rows/s"));
  add(result("service.load_alone_rows_per_s", figures.aloneRowsPerSecond, "rows/s"));
  add(result("service.load_p50_ms", figures.p50Ms, "ms"));
  add(result("service.load_p99_ms", figures.p99Ms, "ms"));
  add(result("service.load_fairness", figures.fairness, "ratio"));
  add(result("service.load_memory_slope_mib_per_min", figures.memorySlope * 60 / MEBIBYTE, "MiB/min"));
  add(result("service.load_refused", figures.statuses[429] ?? 0, "count"));
  const faults = faultsOf(figures);
  for (const fault of faults) log(`service: ${fault}`);
  if (faults.length > 0) throw new SottoError("internal", `the load run failed: ${faults[0]}`);
}

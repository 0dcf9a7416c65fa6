/** What a second core brings. */
import { type Backend, decodeFile } from "../circuits/mod.ts";
import { newKeys } from "../client/mod.ts";
import { openBackend } from "../ffi/mod.ts";
import type { LoadedModel } from "./bench_models.ts";
import { type CompiledModel, compileModel, encryptFor } from "./compiled_model.ts";
import { repeat } from "./measure_model.ts";
import { median } from "./statistics.ts";

/** Time on one thread over time on two, of the same request; the two take turns `rounds` times, medians are compared. */
export async function measureSpeedup(loaded: LoadedModel, rounds: number): Promise<number> {
  const [one, two] = [openBackend({ threads: 1 }), openBackend({ threads: 2 })];
  try {
    return await compare(one, two, loaded, rounds);
  } finally {
    one.close();
    two.close();
  }
}

async function compare(one: Backend, two: Backend, { model, rows }: LoadedModel, rounds: number): Promise<number> {
  const keys = await newKeys(one);
  using onOne = await compileModel(one, model, keys);
  using onTwo = await compileModel(two, model, keys);
  const { payload } = decodeFile((await encryptFor(one, keys, onOne.description, rows)).file);
  const once = async (compiled: CompiledModel) => {
    const run = async () => void await compiled.evaluate(payload, rows.length);
    return (await repeat({ runsMin: 1, runsMax: 1, seconds: 0 }, run))[0];
  };
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    times[0].push(await once(onOne));
    times[1].push(await once(onTwo));
  }
  return median(times[0]) / median(times[1]);
}

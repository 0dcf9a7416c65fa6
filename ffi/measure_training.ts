/** What the operations of training cost on this machine, measured on keys and ciphertexts without meaning. */
import { rgswRecordBytes, trainingKeysBytes } from "../circuits/layout.ts";
import { CIPHERTEXT_WORDS, type TrainingCosts, type TrainingServer } from "../circuits/training_backend.ts";

/** Ciphertexts of one call: calls run on all threads, one ciphertext on one. */
const RUNS = 32;

/** Nanoseconds of one thread; a call of one ciphertext occupies one. */
export async function measureTraining(training: TrainingServer): Promise<TrainingCosts> {
  using keys = await training.loadTrainingKeys(new Uint8Array(trainingKeysBytes()));
  const record = new Uint8Array(rgswRecordBytes("seeded"));
  using rgsw = await training.loadRgsw("seeded", record);
  const ciphertext = new BigUint64Array(CIPHERTEXT_WORDS).map((_, i) => BigInt(i) * 0x9e3779b97n);
  return {
    external_product_ns: await timeNs(() => training.externalProduct(rgsw, ciphertext)),
    automorphism_ns: await timeNs(() => training.automorphism(keys, 1, ciphertext)),
    load_ns: await timeNs(async () => (await training.loadRgsw("seeded", record)).close()),
  };
}

/** The mean of `RUNS` calls after a warm-up. */
async function timeNs(run: () => Promise<unknown>): Promise<number> {
  await run();
  const start = performance.now();
  for (let i = 0; i < RUNS; i++) await run();
  return (performance.now() - start) * 1e6 / RUNS;
}

/** What lookups and layers cost on this machine, measured on keys and ciphertexts without meaning. */
import { type LookupSetting, LWE_WORDS, type NetworkCosts } from "../circuits/backend.ts";
import { lookupKeysBytes } from "../circuits/layout.ts";
import type { NativeNetwork } from "./native_network.ts";

/** Lookups of one measurement: one tile. */
const LOOKUPS = 16;
/** Sides of the measured layer, and how often it is applied. */
const LAYER = 96;
const LAYER_RUNS = 8;

/** Nanoseconds of one thread; `answerNs` is taken over. About two seconds. */
export async function measureNetwork(network: NativeNetwork, answerNs: number): Promise<NetworkCosts> {
  const lookup_ns = { 1: 0, 2: 0, 3: 0 };
  for (const setting of [1, 2, 3] as const) lookup_ns[setting] = await lookupNs(network, setting);
  return { lookup_ns, multiply_add_ns: await multiplyAddNs(network), answer_ns: answerNs };
}

async function lookupNs(network: NativeNetwork, setting: LookupSetting): Promise<number> {
  using keys = await network.loadLookupKeys(setting, new Uint8Array(lookupKeysBytes(setting)));
  const lwe = scattered(LOOKUPS);
  const table = { tables: new BigUint64Array(2048), indices: new Uint32Array(LOOKUPS) };
  const run = () => network.lookup(keys, lwe, table, new Uint32Array(lwe.length), { threads: 1 });
  return await timeNs(run, 1) / LOOKUPS;
}

async function multiplyAddNs(network: NativeNetwork): Promise<number> {
  using layer = network.createLayer({
    inputCount: LAYER,
    patchCount: 1,
    groupCount: 1,
    rowsPerGroup: LAYER,
    depth: LAYER,
    weights: Int8Array.from({ length: LAYER * LAYER }, (_, i) => i * 37),
    indices: Uint32Array.from({ length: LAYER }, (_, i) => i),
    offsets: new Uint32Array(LAYER),
  });
  const inputs = scattered(LAYER);
  const range = { rowCount: 1, rowStride: LAYER, firstPatch: 0, patchCount: 1 };
  const run = () => network.applyLayer(layer, inputs, range, new Uint32Array(inputs.length), { threads: 1 });
  return await timeNs(run, LAYER_RUNS) / LAYER ** 2;
}

/** The smaller of two measurements after a warm-up. */
async function timeNs(run: () => Promise<void>, repeats: number): Promise<number> {
  await run();
  let best = Infinity;
  for (let round = 0; round < 2; round++) {
    const start = performance.now();
    for (let i = 0; i < repeats; i++) await run();
    best = Math.min(best, (performance.now() - start) * 1e6 / repeats);
  }
  return best;
}

/** Words that look like ciphertexts (multiples of an odd constant). */
function scattered(count: number): Uint32Array {
  return Uint32Array.from({ length: count * LWE_WORDS }, (_, i) => Math.imul(i, 0x9e3779b1));
}

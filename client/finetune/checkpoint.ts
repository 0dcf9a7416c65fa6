/**
 * A run that can go on later: one safetensors file with the adapters, the moments of AdamW and the gradients of the first step, and in its metadata the
 * losses so far and what determines the run. Dropout, order of the data and learning rate are functions of the step, so nothing else is needed. The file
 * says as much of the texts as the adapters do, and is readable by its owner only.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import { SottoError } from "../../errors.ts";
import { openSafetensors, safetensorsMetadata, type TensorSource } from "../../models/language/mod.ts";
import type { AdamState } from "./adam_w.ts";
import { Adapters } from "./adapters.ts";
import { encodeSafetensors } from "./safetensors_file.ts";
import type { StepReport } from "./train.ts";
import type { RunSetting } from "./tuned_run.ts";

const FORMAT = "sotto-finetune-1";

/** A run between two steps. */
export interface RunState {
  readonly adapters: Adapters;
  readonly optimiser: AdamState;
  readonly steps: readonly StepReport[];
  readonly firstGradients: ReadonlyMap<string, Floats>;
}

const stepSchema = z.object({
  step: z.number(),
  loss: z.number(),
  labels: z.number(),
  gradientNorm: z.number(),
  learningRate: z.number(),
});
const metadataSchema = z.object({
  format: z.literal(FORMAT),
  setting: z.string().transform((text) => JSON.parse(text)).pipe(z.record(z.string(), z.string())),
  steps: z.string().transform((text) => JSON.parse(text)).pipe(z.array(stepSchema)),
});

/** Writes the state of a run; the file is the old one or the new one, never a part of it. Throws `file_unreadable`. */
export async function saveCheckpoint(path: string, setting: RunSetting, state: RunState): Promise<void> {
  const tensors = arraysOf(state).map(([name, values]) => ({ name, shape: [values.length], values }));
  const metadata = { format: FORMAT, setting: JSON.stringify(traitsOf(setting)), steps: JSON.stringify(state.steps) };
  const temporary = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(temporary, encodeSafetensors(tensors, metadata), { createNew: true, mode: 0o600 });
    await Deno.rename(temporary, path);
  } catch (cause) {
    await Deno.remove(temporary).catch(() => undefined);
    throw new SottoError("file_unreadable", `${path} cannot be written: name a file in a folder that exists`, {
      cause,
    });
  }
}

/**
 * Reads the state of a run of this setting. Throws `file_unreadable` or `malformed_file`, and `configuration_invalid` naming what is not as it was when
 * the run began.
 */
export async function loadCheckpoint(path: string, setting: RunSetting): Promise<RunState> {
  const { traits, steps } = await readMetadata(path);
  const expected = traitsOf(setting);
  const other = Object.keys(expected).find((key) => expected[key] !== traits[key]);
  if (other !== undefined) {
    const was = `was ${traits[other] ?? "not there"} and is ${expected[other]}`;
    throw new SottoError(
      "configuration_invalid",
      `${path} is of another run: its ${other} ${was}; pass what it began with`,
    );
  }
  using tensors = await openSafetensors(path);
  return await readState(tensors, setting, steps);
}

async function readMetadata(path: string) {
  const found = await safetensorsMetadata(path);
  try {
    const { setting, steps } = metadataSchema.parse(found);
    return { traits: setting, steps };
  } catch (cause) {
    throw new SottoError("malformed_file", `${path} is no checkpoint of a fine-tuning run`, { cause });
  }
}

async function readState(tensors: TensorSource, setting: RunSetting, steps: readonly StepReport[]): Promise<RunState> {
  const { kernels, config } = setting;
  const adapters = Adapters.create(kernels, config, setting.adapters, setting.seed ?? 0);
  const moments = [];
  const firstGradients = new Map<string, Floats>();
  for (const { name, values } of adapters.parameters()) {
    const read = (what: string) => readArray(kernels, tensors, `${name}.${what}`, values.length);
    values.set(await read("value"));
    moments.push({ first: await read("first"), second: await read("second") });
    firstGradients.set(name, await read("gradient"));
  }
  return { adapters, optimiser: { steps: steps.length, moments }, steps, firstGradients };
}

async function readArray(kernels: FloatKernels, tensors: TensorSource, name: string, count: number): Promise<Floats> {
  const read = await tensors.read(name);
  if (read.length !== count) {
    throw new SottoError("malformed_file", `${name} of the checkpoint has ${read.length} values and not ${count}`);
  }
  const values = kernels.zeros(count);
  values.set(read);
  return values;
}

function arraysOf({ adapters, optimiser, firstGradients }: RunState): [string, Floats][] {
  return adapters.parameters().flatMap(({ name, values }, i): [string, Floats][] => [
    [`${name}.value`, values],
    [`${name}.first`, optimiser.moments[i].first],
    [`${name}.second`, optimiser.moments[i].second],
    [`${name}.gradient`, firstGradients.get(name)!],
  ]);
}

/** What determines a run, as words that can be compared and shown; large things by their digest. */
function traitsOf({ config, adapters, train, blocks, steps, seed = 0, local }: RunSetting): Record<string, string> {
  const digest = createHash("sha256");
  for (const { tokens, labels, starts } of blocks) {
    for (const array of [tokens, labels, starts]) digest.update(`${array.length};`).update(bytesOf(array));
  }
  return {
    "base model": createHash("sha256").update(JSON.stringify(config)).update(bytesOf(local.embedding)).digest("hex"),
    texts: digest.digest("hex"),
    adapters: JSON.stringify(adapters),
    training: JSON.stringify(train),
    steps: String(steps),
    seed: String(seed),
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

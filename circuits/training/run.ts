/** A training run: an encrypted state that batches advance. Nothing in it is random, so resuming gives the same bytes. */
import { SottoError } from "../../errors.ts";
import type { CallOptions, LookupKeys, ServerBackend } from "../backend.ts";
import type { TrainingKeys } from "../training_backend.ts";
import type { EncryptedBatch } from "./batch.ts";
import { firstState } from "./first_state.ts";
import { LinearStep } from "./linear_run.ts";
import { MlpStep } from "./mlp_run.ts";
import { lookupSettingOf } from "./setting.ts";
import type { TrainingSpec } from "./spec.ts";
import { decodeCheckpoint, encodeCheckpoint, type TrainingState } from "./state.ts";

/** Loaded keys of the data's key pair. */
export interface RunKeys {
  readonly training: TrainingKeys;
  /** Of the setting that `lookupSettingOf` names. */
  readonly lookup: LookupKeys;
}

/** One step: a state and a batch -> the next state. */
interface Step {
  run(state: TrainingState, batch: EncryptedBatch, options: CallOptions): Promise<TrainingState>;
  close(): void;
}

/** Close it; the keys stay open. */
export class TrainingRun implements Disposable {
  readonly #step: Step;
  #state: TrainingState;

  /** @throws SottoError `key_missing` for lookup keys of another setting */
  constructor(backend: ServerBackend, readonly spec: TrainingSpec, keys: RunKeys) {
    const setting = lookupSettingOf(spec);
    if (keys.lookup.setting !== setting) {
      throw new SottoError("key_missing", `this training needs lookup keys of setting ${setting}: register them first`);
    }
    this.#step = spec.kind === "mlp" ? new MlpStep(backend, spec, keys) : new LinearStep(backend, spec, keys);
    this.#state = firstState(spec);
  }

  get state(): TrainingState {
    return this.#state;
  }

  /** Steps done. */
  get steps(): number {
    return this.#state.step;
  }

  /**
   * Advances by one batch. A failed or cancelled step leaves the state as it was.
   * @throws SottoError `conflict` after the last step, `malformed_file`, `cancelled`
   */
  async step(batch: EncryptedBatch, options: CallOptions = {}): Promise<void> {
    if (this.steps >= this.spec.steps) {
      throw new SottoError("conflict", `this training has done its ${this.spec.steps} steps: start another one`);
    }
    this.#state = await this.#step.run(this.#state, batch, options);
  }

  /** The whole state as bytes. */
  checkpoint(): Uint8Array {
    return encodeCheckpoint(this.spec, this.#state);
  }

  /** Goes on from a checkpoint. @throws SottoError `malformed_file` */
  restore(checkpoint: Uint8Array): void {
    this.#state = decodeCheckpoint(this.spec, checkpoint);
  }

  /** Goes on from another state of this specification, for instance re-encrypted weights. */
  replace(state: TrainingState): void {
    this.#state = decodeCheckpoint(this.spec, encodeCheckpoint(this.spec, state));
  }

  close(): void {
    this.#step.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

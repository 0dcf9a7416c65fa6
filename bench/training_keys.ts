/** One key pair, with the keys of the trainings that are measured. */
import type { Backend, LookupKeys, LookupSetting, SecretKey } from "../circuits/mod.ts";
import { lookupSettingOf, type RunKeys, type TrainingSpec } from "../circuits/training/mod.ts";
import type { TrainingKeys } from "../circuits/training_backend.ts";
import { DIGEST_BYTES, HEADER_BYTES } from "../circuits/wire_file.ts";

/** Makes and loads keys when they are first asked for. Close it before its back end. */
export class MeasuredKeys implements Disposable {
  readonly secret: SecretKey;
  #training: TrainingKeys | undefined;
  readonly #lookups = new Map<LookupSetting, LookupKeys>();
  /** Bytes of the key files by what they are for; of lookups by their setting. */
  readonly #bytes = new Map<LookupSetting | "training", number>();

  constructor(readonly backend: Backend) {
    this.secret = backend.generateSecretKey();
  }

  /** The keys that the server needs for a training. */
  async of(spec: TrainingSpec): Promise<RunKeys> {
    return { training: await this.#trainingKeys(), lookup: await this.#lookupKeys(lookupSettingOf(spec)) };
  }

  /** Bytes of all key files of a training: training keys, lookup keys, and the public key for further owners of data. */
  async fileBytes(spec: TrainingSpec): Promise<number> {
    await this.of(spec);
    const publicKey = this.backend.training.generatePublicKey(this.secret);
    const payloads = [this.#bytes.get("training")!, this.#bytes.get(lookupSettingOf(spec))!, publicKey.length];
    return payloads.reduce((sum, bytes) => sum + HEADER_BYTES + bytes + DIGEST_BYTES, 0);
  }

  async #trainingKeys(): Promise<TrainingKeys> {
    if (this.#training !== undefined) return this.#training;
    const payload = await this.backend.training.generateTrainingKeys(this.secret);
    this.#bytes.set("training", payload.length);
    return this.#training = await this.backend.training.loadTrainingKeys(payload);
  }

  async #lookupKeys(setting: LookupSetting): Promise<LookupKeys> {
    const known = this.#lookups.get(setting);
    if (known !== undefined) return known;
    const payload = await this.backend.generateLookupKeys(this.secret, setting);
    this.#bytes.set(setting, payload.length);
    const keys = await this.backend.loadLookupKeys(setting, payload);
    this.#lookups.set(setting, keys);
    return keys;
  }

  [Symbol.dispose](): void {
    this.#training?.close();
    this.#lookups.forEach((keys) => keys.close());
    this.secret.close();
  }
}

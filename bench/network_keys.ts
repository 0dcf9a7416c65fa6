/** One key pair, with the keys of as many capabilities as the measured circuits need. */
import type {
  Backend,
  Capability,
  EvaluationKeys,
  KeyRing,
  LookupKeys,
  LookupSetting,
  SecretKey,
} from "../circuits/mod.ts";
import { lookupSettingOf } from "../circuits/wire_keys.ts";

/** Makes and loads keys when they are first asked for. Close it before its back end. */
export class NetworkKeys implements Disposable {
  readonly secret: SecretKey;
  #pack: EvaluationKeys | undefined;
  readonly #lookups = new Map<LookupSetting, LookupKeys>();

  constructor(readonly backend: Backend) {
    this.secret = backend.generateSecretKey();
  }

  /** The keys of these capabilities, and perhaps more. */
  async ring(capabilities: readonly Capability[]): Promise<KeyRing> {
    for (const capability of capabilities) await this.#add(lookupSettingOf(capability));
    return { pack: this.#pack, lookups: this.#lookups };
  }

  async #add(setting: LookupSetting | undefined): Promise<void> {
    const { backend, secret } = this;
    if (setting === undefined) {
      this.#pack ??= await backend.loadEvaluationKeys(await backend.generateEvaluationKeys(secret));
    } else if (!this.#lookups.has(setting)) {
      const payload = await backend.generateLookupKeys(secret, setting);
      this.#lookups.set(setting, await backend.loadLookupKeys(setting, payload));
    }
  }

  [Symbol.dispose](): void {
    this.#pack?.close();
    this.#lookups.forEach((keys) => keys.close());
    this.secret.close();
  }
}

/** The metadata of a GGUF file: values of known types by key. */
import { refuseFile, refuseModel } from "../refuse.ts";

export type MetadataValue = number | boolean | string | readonly number[] | readonly string[];

/** Typed reading of metadata. A value of another type than asked for is `malformed_file`. */
export class Metadata {
  constructor(private readonly values: ReadonlyMap<string, MetadataValue>) {}

  #wrong(key: string, what: string): never {
    return refuseFile(`The metadata ${key} are not ${what}.`);
  }

  number(key: string): number | undefined {
    const value = this.values.get(key);
    return value === undefined || typeof value === "number" ? value : this.#wrong(key, "a number");
  }

  text(key: string): string | undefined {
    const value = this.values.get(key);
    return value === undefined || typeof value === "string" ? value : this.#wrong(key, "a text");
  }

  truth(key: string): boolean | undefined {
    const value = this.values.get(key);
    return value === undefined || typeof value === "boolean" ? value : this.#wrong(key, "a truth value");
  }

  texts(key: string): readonly string[] | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    return isTexts(value) ? value : this.#wrong(key, "a list of texts");
  }

  numbers(key: string): readonly number[] | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    return isNumbers(value) ? value : this.#wrong(key, "a list of numbers");
  }

  /** @throws SottoError `model_refused` when there is no such number */
  needNumber(key: string): number {
    return this.number(key) ?? refuseModel(`The GGUF file has no ${key}; convert the model again.`);
  }
}

function isTexts(value: MetadataValue): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}

function isNumbers(value: MetadataValue): value is readonly number[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "number");
}

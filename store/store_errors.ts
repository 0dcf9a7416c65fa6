import { isSottoError, SottoError } from "../errors.ts";

const DIGEST_FORM = /^[0-9a-f]{64}$/;

/** The object is not where its row says, or not what its name says. */
export function corrupt(digest: string, how: string, cause?: unknown): SottoError {
  const message = `the stored object ${digest} ${how}: restore it from a backup, or upload it again`;
  return new SottoError("store_corrupt", message, { cause });
}

/** The store does not work at the moment. Errors that have a code already keep it. */
export function storeUnavailable(what: string, cause: unknown): SottoError {
  if (isSottoError(cause)) return cause;
  return new SottoError("store_unavailable", `the object store ${what}: try again, or ask your operator to check it`, {
    cause,
  });
}

/** Digests become names: nothing else may. */
export function requireDigest(digest: string): string {
  if (DIGEST_FORM.test(digest)) return digest;
  throw new SottoError("internal", `an object digest has the wrong form: ${digest}`);
}

/** True for what could be an object's name. */
export function isDigest(name: string): boolean {
  return DIGEST_FORM.test(name);
}

/** The errors for what a tenant has not, whoever else has it. */
import { SottoError } from "../../errors.ts";

export function unknownModel(): SottoError {
  return new SottoError("model_unknown", "you have no model with this id: list yours with GET /v1/models");
}

export function unknownKeys(): SottoError {
  return new SottoError("key_unknown", "you have no registered keys with this id: list yours with GET /v1/keys");
}

export function unknownSession(): SottoError {
  return new SottoError(
    "session_unknown",
    "you have no training session with this id: it was deleted, or is another's",
  );
}

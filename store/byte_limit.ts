import { SottoError } from "../errors.ts";

/** The error of a body above its limit. */
export function tooLarge(maxBytes: number): SottoError {
  return new SottoError("body_too_large", `the body is larger than the limit of ${maxBytes} bytes: send a smaller one`);
}

/** Passes chunks on and fails, with `body_too_large` or another error, as soon as there are more than `maxBytes` of them. */
export async function* limitBytes(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
  refusal: (maxBytes: number) => SottoError = tooLarge,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let total = 0;
  for await (const chunk of source) {
    total += chunk.byteLength;
    if (total > maxBytes) throw refusal(maxBytes);
    yield chunk as Uint8Array<ArrayBuffer>;
  }
}

/** A question on the terminal whose answer is not shown. */
import { SottoError } from "../errors.ts";

const ENTER = new Set([0x0a, 0x0d, 0x04]);
const BACKSPACE = new Set([0x08, 0x7f]);
const INTERRUPT = 0x03;

/**
 * Asks on standard error and reads one line from standard input, without echo.
 * @throws SottoError cancelled on Ctrl-C.
 */
export async function askHidden(question: string): Promise<string> {
  Deno.stdin.setRaw(true);
  try {
    await Deno.stderr.write(new TextEncoder().encode(question));
    return await readLine();
  } finally {
    Deno.stdin.setRaw(false);
    await Deno.stderr.write(new TextEncoder().encode("\n"));
  }
}

async function readLine(): Promise<string> {
  const typed: number[] = [];
  const chunk = new Uint8Array(256);
  try {
    while (true) {
      const count = await Deno.stdin.read(chunk);
      if (count === null) return text(typed);
      for (const byte of chunk.subarray(0, count)) {
        if (ENTER.has(byte)) return text(typed);
        if (byte === INTERRUPT) throw new SottoError("cancelled", "cancelled at the question");
        if (BACKSPACE.has(byte)) dropCharacter(typed);
        else typed.push(byte);
      }
    }
  } finally {
    typed.fill(0);
    chunk.fill(0);
  }
}

function text(bytes: readonly number[]): string {
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** Removes the last character: in UTF-8 its continuation bytes (10xxxxxx) go with it. */
function dropCharacter(bytes: number[]): void {
  while (bytes.length > 0 && (bytes.pop()! & 0xc0) === 0x80);
}

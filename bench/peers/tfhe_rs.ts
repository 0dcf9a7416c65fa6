/** The programmable bootstrap of tfhe-rs, built from source by cargo. */
import { fileURLToPath } from "node:url";
import { type Figures, parseFigures, runProgram } from "../programs.ts";

const SOURCE = fileURLToPath(new URL("tfhe_rs/", import.meta.url));
const TARGET = fileURLToPath(new URL("../../build/peers/tfhe_rs/", import.meta.url));

/** As it is called in results. */
export const TFHE_RS = "tfhe-rs 1.8.2";

/** Builds the peer for this processor, about nine minutes of it the first time, and returns its program. */
export async function buildTfheRs(): Promise<string> {
  await runProgram("cargo", ["build", "--release", "--locked", "--quiet"], {
    cwd: SOURCE,
    env: { CARGO_TARGET_DIR: TARGET, RUSTFLAGS: "-C target-cpu=native" },
    missing: "install Rust 1.91.1 or newer, or run without --peers",
  });
  return `${TARGET}release/tfhe_rs_peer`;
}

/**
 * One measurement on one thread, milliseconds a lookup: `C.single`, `C.batch64`, `C.keyswitch` and their `.best`, the best of two, for
 * the failure classes C `2m64` and `2m128`.
 */
export async function measureTfheRs(program: string, core: number): Promise<Figures> {
  return parseFigures(await runProgram(program, ["2"], { core, env: { RAYON_NUM_THREADS: "1" } }));
}

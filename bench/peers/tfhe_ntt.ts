/** The transform of tfhe-ntt, built from source by cargo. */
import { fileURLToPath } from "node:url";
import { type Figures, parseFigures, runProgram } from "../programs.ts";

const SOURCE = fileURLToPath(new URL("tfhe_ntt/", import.meta.url));
const TARGET = fileURLToPath(new URL("../../build/peers/tfhe_ntt/", import.meta.url));

/** As it is called in results. */
export const TFHE_NTT = "tfhe-ntt 0.7.1";

/** Builds the peer for this processor and returns its program. */
export async function buildTfheNtt(): Promise<string> {
  await runProgram("cargo", ["build", "--release", "--locked", "--quiet"], {
    cwd: SOURCE,
    env: { CARGO_TARGET_DIR: TARGET, RUSTFLAGS: "-C target-cpu=native" },
    missing: "install Rust 1.91.1 or newer, or run without --peers",
  });
  return `${TARGET}release/tfhe_ntt_peer`;
}

/** One measurement: `forward`, `inverse`, `inverse_normalised` and their `.best`, in microseconds. */
export async function measureTfheNtt(program: string, core: number): Promise<Figures> {
  return parseFigures(await runProgram(program, [], { core }));
}

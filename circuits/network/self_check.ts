/** After an import: the lowered program against the network's own evaluation. */
import { SottoError } from "../../errors.ts";
import { evaluateNetwork } from "../../models/network/mod.ts";
import type { NetworkModel } from "../../models/network/types.ts";
import { runClear } from "./clear.ts";
import { lower } from "./lower.ts";

/** Rows that one check tries. */
const ROW_COUNT = 8;
/** Both sides sum in double precision, in different orders. */
const TOLERANCE = 1e-6;

/**
 * Compares the scores of the program with those of the model on calibration rows.
 * @throws SottoError `model_refused` when they differ by more than the rounding of sums
 */
export function selfCheckNetwork(model: NetworkModel, rows: readonly (readonly number[])[]): void {
  const program = lower(model);
  rows.slice(0, ROW_COUNT).forEach((row, r) => {
    const elements = runClear(program, row);
    evaluateNetwork(model, row).forEach((exact, output) => {
      const scale = Math.max(1, ...exact.map(Math.abs));
      exact.forEach((value, score) => {
        const made = elements[program.outputs[output].elements[score]];
        if (Math.abs(made - value) <= TOLERANCE * scale) return;
        throw new SottoError(
          "model_refused",
          `the self-check failed: on calibration row ${r + 1} score ${score} of "${program.outputs[output].name}" is ` +
            `${made} as sums and tables and ${value} in clear; report the model`,
        );
      });
    });
  });
}

import type { ServerBackend } from "../../circuits/backend.ts";

/** Makes every row of a tree model take so long, until it is cancelled, so that a process can be killed in the middle of a part. */
export function slowRows(backend: ServerBackend, milliseconds: number): void {
  if (milliseconds === 0) return;
  const evaluate = backend.evaluateLeaves.bind(backend);
  backend.evaluateLeaves = async (matrix, keys, rows, shape, options = {}) => {
    for (let row = 0; row < shape.rowCount; row++) {
      options.signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      options.onProgress?.((row + 1) / shape.rowCount);
    }
    return await evaluate(matrix, keys, rows, shape, options);
  };
}

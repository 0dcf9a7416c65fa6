/** The folder's door: importing float networks, and running them in clear. */
export { applyActivation } from "./activation.ts";
export { evaluateNetwork, runNetwork } from "./evaluate.ts";
export { importNetwork } from "./import.ts";
export type * from "./types.ts";

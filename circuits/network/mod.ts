/** The folder's door: networks, from a float model to encrypted answers. */
export { type Circuit, type CircuitStep, HALF_RANGE } from "./circuit.ts";
export { lower } from "./lower.ts";
export { type NetworkOptions, type NetworkPlan, planNetwork } from "./plan.ts";
export { decodeNetworkAnswers, encodeNetworkRows, NETWORK_INPUT_SCALE, type OutOfRange } from "./rows.ts";
export { NetworkRunner, type RunOptions } from "./run.ts";
export { selfCheckNetwork } from "./self_check.ts";
export { type SimulateOptions, Simulation } from "./simulate.ts";

/** Parameter sets: data files, the checks that every one of them passes, and which one is current. */
export { checkParameterSet, COEFFICIENT_BITS, type Gadget, type ParameterSet } from "./checked.ts";
export { CURRENT } from "./current.ts";
export { tuniformVariance } from "./security.ts";

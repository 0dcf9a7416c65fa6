/** Parameter sets: data files, the checks that every one of them passes, and which one is current. */
export { checkParameterSet, COEFFICIENT_BITS, type Gadget, type ParameterSet } from "./checked.ts";
export { CURRENT, CURRENT_LWE, TOKENS_1024, TOKENS_2048, TWIN_LWE } from "./current.ts";
export { checkLweParameterSet, type LweParameterSet } from "./lwe.ts";
export { tuniformVariance } from "./security.ts";
export { checkTokenParameterSet, type TokenParameterSet, type TokenWire } from "./tokens.ts";

import literal from "./ring-2048-q50.json" with { type: "json" };
import { checkParameterSet, type ParameterSet } from "./checked.ts";

/** The parameter set that new keys use. */
export const CURRENT: ParameterSet = checkParameterSet(literal);

import literal from "./ring-2048-q50.json" with { type: "json" };
import { checkParameterSet, type ParameterSet } from "./checked.ts";
import { checkLweParameterSet, type LweParameterSet } from "./lwe.ts";
import lweLiteral from "./lwe-840-block3.json" with { type: "json" };
import twinLiteral from "./lwe-880-binary.json" with { type: "json" };

/** The parameter set that new keys use. */
export const CURRENT: ParameterSet = checkParameterSet(literal);

/** The small key of lookups. */
export const CURRENT_LWE: LweParameterSet = checkLweParameterSet(lweLiteral);

/** Its conservative twin: a uniform binary secret, at two and a half times the cost of a lookup. */
export const TWIN_LWE: LweParameterSet = checkLweParameterSet(twinLiteral);

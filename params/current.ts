import literal from "./ring-2048-q50.json" with { type: "json" };
import { checkParameterSet, type ParameterSet } from "./checked.ts";
import { checkLweParameterSet, type LweParameterSet } from "./lwe.ts";
import { checkTokenParameterSet, type TokenParameterSet } from "./tokens.ts";
import lweLiteral from "./lwe-840-block3.json" with { type: "json" };
import tokens1024Literal from "./tokens-1024-q32.json" with { type: "json" };
import tokens2048Literal from "./tokens-2048-q32.json" with { type: "json" };
import twinLiteral from "./lwe-880-binary.json" with { type: "json" };

/** The parameter set that new keys use. */
export const CURRENT: ParameterSet = checkParameterSet(literal);

/** The small key of lookups. */
export const CURRENT_LWE: LweParameterSet = checkLweParameterSet(lweLiteral);

/** Its conservative twin: a uniform binary secret, at two and a half times the cost of a lookup. */
export const TWIN_LWE: LweParameterSet = checkLweParameterSet(twinLiteral);

/** Blocks of up to 1,024 tokens, with the error of 7-bit activations. */
export const TOKENS_1024: TokenParameterSet = checkTokenParameterSet(tokens1024Literal);

/** Blocks of up to 2,048 tokens, with a fifteenth of that error, at up to twice the cost of masks. */
export const TOKENS_2048: TokenParameterSet = checkTokenParameterSet(tokens2048Literal);

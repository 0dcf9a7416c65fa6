/** Limits of imported models, checked before anything of their size is allocated. */

/** Largest model file, in bytes. */
export const MODEL_BYTES_MAX = 100 * 1024 * 1024;

/** Largest number of leaf values (leaves times values a leaf) of one model. */
export const LEAF_VALUES_MAX = 20_000_000;

/** Largest number of features, and of scores, of one model. */
export const WIDTH_MAX = 100_000;

/** Limits of imported models, checked before anything of their size is allocated. */

/** Largest model file, in bytes. */
export const MODEL_BYTES_MAX = 100 * 1024 * 1024;

/** Largest number of leaf values (leaves times values a leaf) of one model. */
export const LEAF_VALUES_MAX = 20_000_000;

/** Largest number of features, and of scores, of one model. */
export const WIDTH_MAX = 100_000;

/** Largest number of layers of one network, and of nodes of its graph. */
export const LAYERS_MAX = 2_000;

/** Largest number of elements of one tensor between layers. */
export const TENSOR_ELEMENTS_MAX = 1 << 22;

/** Largest number of weights of one network: 256 MB in single precision. */
export const WEIGHTS_MAX = 1 << 26;

/** Largest number of multiplications of one network for one row. */
export const MULTIPLICATIONS_MAX = 2 ** 34;

/** Largest number of array elements that importing one network may make, all steps together. */
export const IMPORT_ELEMENTS_MAX = 1 << 28;

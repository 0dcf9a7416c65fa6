/** Limits of language model files, checked before anything of their size is allocated. */

/** Largest header of a safetensors file, and largest JSON file beside it (configuration, index), in bytes. */
export const HEADER_BYTES_MAX = 32 * 1024 * 1024;

/** Largest tokenizer.json, in bytes. */
export const TOKENIZER_BYTES_MAX = 64 * 1024 * 1024;

/** Largest metadata and tensor list of a GGUF file, in bytes: vocabularies lie there. */
export const GGUF_HEADER_BYTES_MAX = 64 * 1024 * 1024;

/** Largest number of metadata entries of a GGUF file. */
export const METADATA_ENTRIES_MAX = 10_000;

/** Largest number of elements of one array in the metadata of a GGUF file, and of entries of a vocabulary. */
export const METADATA_ELEMENTS_MAX = 1 << 21;

/** Largest text in the metadata of a GGUF file, in bytes. */
export const TEXT_BYTES_MAX = 1 << 20;

/** Largest number of tensors of one model, and of files that hold them. */
export const TENSORS_MAX = 50_000;
export const SHARDS_MAX = 1_000;

/** Largest number of elements of one tensor that is read at once: 4 GiB in single precision. */
export const ELEMENTS_MAX = 2 ** 30;

/** Largest hidden size, intermediate size, and number of positions, of vocabulary entries, of layers and of heads. */
export const WIDTH_MAX = 1 << 17;
export const POSITIONS_MAX = 1 << 24;
export const VOCABULARY_MAX = 1 << 20;
export const LAYERS_MAX = 1_000;
export const HEADS_MAX = 1_024;

/** Bytes of a file that are decoded at once: what reading a tensor needs beside its answer. */
export const WINDOW_BYTES = 1 << 20;

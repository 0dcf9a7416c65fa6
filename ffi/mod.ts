/** The native back end: the only door to the kernels. */
export { openBackend, type OpenOptions } from "./open_backend.ts";
export { type NativeFloatKernels, openFloatKernels } from "./native_float.ts";
export { CUDA_LIBRARY, DEFAULT_LIBRARY } from "./library.ts";

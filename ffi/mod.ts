/** The native back end: the only door to the kernels. */
export { openBackend, type OpenOptions } from "./native_backend.ts";
export { type NativeFloatKernels, openFloatKernels } from "./native_float.ts";
export { DEFAULT_LIBRARY } from "./library.ts";

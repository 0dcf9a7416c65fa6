/** Everything about the bytes that travel: files (`docs/files.md`), their streams, and the sizes and places of records. */
export * from "./layout.ts";
export * from "./wire_file.ts";
export { CAPABILITIES, capabilityOf, keyFileHeader, keyPayloadBytes, lookupSettingOf } from "./wire_keys.ts";
export { type FileStream, type FileWriter, fileWriter, readFileStream } from "./wire_stream.ts";

/** Key files by what they make possible. A capability is one file: see `docs/files.md`. */
import { COEFFICIENT_BITS } from "../params/mod.ts";
import type { Capability, LookupSetting } from "./backend.ts";
import { evaluationKeysBytes, lookupKeysBytes } from "./layout.ts";
import { type Header, ID_BYTES, LOOKUP_SETTINGS, malformed } from "./wire_file.ts";

/** Every capability, the smallest file first. */
export const CAPABILITIES = ["pack", "lookup1", "lookup2", "lookup3"] as const satisfies readonly Capability[];

/** The setting of lookup keys; undefined for `pack`. */
export function lookupSettingOf(capability: Capability): LookupSetting | undefined {
  return LOOKUP_SETTINGS.find((setting) => capability === `lookup${setting}`);
}

/** Bytes of the payload of a key file: 0.6 MB for `pack`, 22, 43 and 65 MB for lookups. */
export function keyPayloadBytes(capability: Capability): number {
  const setting = lookupSettingOf(capability);
  return setting === undefined ? evaluationKeysBytes() : lookupKeysBytes(setting);
}

/**
 * What a key file for the server makes possible.
 * @throws SottoError `malformed_file` when it is not one record of whole coefficients, or holds no such keys
 */
export function capabilityOf(header: Header): Capability {
  if (header.recordCount !== 1) malformed(`a key file holds one record, this one announces ${header.recordCount}`);
  if (header.coefficientBits !== COEFFICIENT_BITS) {
    malformed(`its coefficients have ${header.coefficientBits} bits, those of keys have ${COEFFICIENT_BITS}`);
  }
  if (header.kind === "evaluation_keys") return "pack";
  if (header.kind === "lookup_keys") return `lookup${header.flags as LookupSetting}`;
  malformed("it holds no keys for a server");
}

/** The header of the key file of a capability. `keyId`: 32 bytes. */
export function keyFileHeader(
  capability: Capability,
  owner: { readonly keyId: Uint8Array; readonly parameterSet: string },
): Header {
  const setting = lookupSettingOf(capability);
  return {
    kind: setting === undefined ? "evaluation_keys" : "lookup_keys",
    recordCount: 1,
    recordBytes: keyPayloadBytes(capability),
    rowCount: 0,
    coefficientBits: COEFFICIENT_BITS,
    flags: setting ?? 0,
    parameterSet: owner.parameterSet,
    keyId: owner.keyId,
    modelId: new Uint8Array(ID_BYTES),
  };
}

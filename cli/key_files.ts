/** Names of key files: what belongs together looks alike. */
import { InvalidArgumentError } from "commander";
import { basename, dirname, join } from "node:path";
import type { Capability } from "../circuits/backend.ts";
import { CAPABILITIES } from "../circuits/wire.ts";

/** The word of a capability in the names of files. */
function wordOf(capability: Capability): string {
  return capability === "pack" ? "evaluation" : capability;
}

/**
 * The name of the key file of a capability, after that of another file of its pair: `alice.secret.key`, `alice.evaluation.key` and
 * `alice.key` give `alice.lookup2.key`.
 */
export function keyFileBeside(path: string, capability: Capability): string {
  const name = basename(path);
  const word = wordOf(capability);
  const renamed = /secret|evaluation/.test(name)
    ? name.replace(/secret|evaluation/, word)
    : `${name.replace(/\.key$/, "")}.${word}.key`;
  return join(dirname(path), renamed);
}

/** Collects the values of a repeatable option `--capability`, for commander. */
export function collectCapability(text: string, before: readonly Capability[] | undefined): Capability[] {
  const capability = CAPABILITIES.find((known) => known === text);
  if (capability === undefined) throw new InvalidArgumentError(`Allowed choices are ${CAPABILITIES.join(", ")}.`);
  return [...new Set([...before ?? [], capability])];
}

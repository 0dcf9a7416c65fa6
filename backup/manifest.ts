import { z } from "@hono/zod-openapi";
import { SottoError } from "../errors.ts";

/** Name of the first entry of a backup. */
export const MANIFEST = "manifest.json";

const count = z.number().int().nonnegative();

/** What a backup (a tar file) holds: this, `tables/NAME.jsonl` with a row a line, and `objects/DIGEST`. */
export const manifestSchema = z.strictObject({
  format: z.literal("sotto backup 1"),
  /** Version of the schema of the database. */
  schema: z.number().int(),
  created_at: z.string(),
  /** In the order in which they can be filled. */
  tables: z.array(z.strictObject({ name: z.string(), rows: count, bytes: count, sha256: z.string() })),
  /** Objects that the rows name: inside, or left where they are. */
  objects: z.strictObject({ included: z.boolean(), location: z.string(), count }),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Throws `malformed_file`. */
export function parseManifest(text: string): Manifest {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw notABackup("its manifest cannot be read", cause);
  }
}

/** The error of a file that cannot be restored. */
export function notABackup(what: string, cause?: unknown): SottoError {
  return new SottoError("malformed_file", `this is no whole backup: ${what}`, { cause });
}

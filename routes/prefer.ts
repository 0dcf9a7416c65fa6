/** The header `Prefer` (RFC 7240): a client that does not wait. */
import { z } from "@hono/zod-openapi";

export const preferSchema = z.object({
  prefer: z.string().optional().openapi({
    param: { name: "prefer", in: "header" },
    description: "`respond-async` asks for a job",
    example: "respond-async",
  }),
});

/** True when a header `Prefer` (RFC 7240) asks for an answer that does not wait. */
export function wantsJob(prefer: string | undefined): boolean {
  return (prefer ?? "").split(",").some((part) => part.split(";")[0].trim().toLowerCase() === "respond-async");
}

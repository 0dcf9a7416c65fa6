import { z } from "@hono/zod-openapi";

const layer = z.number().int().nonnegative();

/** JSON: `[{"layers": [0, 15], "url": "http://10.0.0.2:8080"}, {"output": true, "url": "http://10.0.0.3:8080"}]`. */
export const placementSchema = z.string().default("[]").transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue({ code: "custom", message: "must be JSON" });
    return z.NEVER;
  }
}).pipe(z.array(z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  layers: z.tuple([layer, layer]).optional(),
  output: z.boolean().optional(),
})));

/** The server of the layers of a range, its ends included, and perhaps of the output. */
export type Placement = z.infer<typeof placementSchema>[number];

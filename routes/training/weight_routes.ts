import type { OpenAPIHono } from "@hono/zod-openapi";
import { bodyBytes } from "../body.ts";
import type { Env, Services } from "../services.ts";
import { fetchWeights, predictWithSession, sendWeights } from "./contract.ts";
import { ownSession } from "./find_session.ts";
import { predictRows, rowsFileBytesMax } from "./predict.ts";
import { shownSession } from "./show.ts";
import { putWeights, weightsFile, weightsFileBytes } from "./weights.ts";

/** Adds the routes of encrypted weights: fetching, refreshing, and predicting with them. */
export function addWeightRoutes(app: OpenAPIHono<Env>, services: Services): void {
  const { uploadIdleSeconds: idleSeconds } = services.config;
  app.openapi(fetchWeights, async (c) => {
    const session = await ownSession(services, c.get("caller"), c.req.valid("param").id);
    const { file, step } = await weightsFile(services, session);
    return c.body(file, 200, { "content-type": "application/octet-stream", "sotto-step": String(step) });
  });
  app.openapi(sendWeights, async (c) => {
    const session = await ownSession(services, c.get("caller"), c.req.valid("param").id);
    const file = await bodyBytes(c, { maxBytes: weightsFileBytes(session), idleSeconds });
    return c.json(await shownSession(services, await putWeights(services, session, file)), 200);
  });
  app.openapi(predictWithSession, async (c) => {
    const session = await ownSession(services, c.get("caller"), c.req.valid("param").id);
    const { answers, serverMs } = await services.limits.prediction(c.get("caller"), async () => {
      const file = await bodyBytes(c, { maxBytes: rowsFileBytesMax(session), idleSeconds });
      return await predictRows(services, session, file, c.req.raw.signal);
    });
    return c.body(answers, 200, {
      "content-type": "application/octet-stream",
      "sotto-server-ms": serverMs.toFixed(3),
    });
  });
}

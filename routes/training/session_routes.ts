import type { OpenAPIHono } from "@hono/zod-openapi";
import { streamSSE } from "hono/streaming";
import {
  changeTrainingSession,
  deleteTrainingSession,
  listTrainingSessions,
  trainingObjects,
  type TrainingSessionRow,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { findLookupKeys, unknownSession } from "../../jobs/mod.ts";
import { releaseObject } from "../../store/mod.ts";
import { bodyStream, roomOf } from "../body.ts";
import type { Env, Services } from "../services.ts";
import {
  finishSession,
  followSession,
  makeSession,
  pauseRun,
  removeSession,
  resumeRun,
  sendKeys,
  showSession,
  showSessions,
  startRun,
} from "./contract.ts";
import { createSession } from "./create.ts";
import { ownSession, requireSessionOwner } from "./find_session.ts";
import { KEY_FILE_BYTES_MAX, putKeys } from "./put_keys.ts";
import { requireComplete } from "./ready.ts";
import { sendSessionEvents } from "./send_events.ts";
import { shownSession, shownSummary } from "./show.ts";
import { requireAllowed, statesOf, wrongState } from "./states.ts";

/** Adds the routes of the life of a session. */
export function addSessionRoutes(app: OpenAPIHono<Env>, services: Services): void {
  const { database, trainings, config } = services;
  app.openapi(makeSession, async (c) => {
    requireSessionOwner(c.get("caller"));
    const { name, spec, batch_count, checkpoint_every } = c.req.valid("json");
    const request = { name, spec, batchCount: batch_count, checkpointEvery: checkpoint_every };
    const session = await createSession(services, c.get("caller").tenantId, request);
    return c.json(await shownSession(services, session), 201, { location: `/v1/training-sessions/${session.id}` });
  });
  app.openapi(showSessions, async (c) => {
    requireSessionOwner(c.get("caller"));
    const sessions = await listTrainingSessions(database, c.get("caller").tenantId);
    const live = await trainings.live(sessions);
    return c.json({ sessions: sessions.map((session) => shownSummary(session, live.get(session.id))) }, 200);
  });
  app.openapi(showSession, async (c) => {
    const session = await ownSession(services, c.get("caller"), c.req.valid("param").id);
    return c.json(await shownSession(services, session), 200);
  });
  app.openapi(sendKeys, async (c) => {
    const session = await ownSession(services, c.get("caller"), c.req.valid("param").id);
    const room = await roomOf(services, session.tenantId);
    const body = bodyStream(c, { maxBytes: KEY_FILE_BYTES_MAX, idleSeconds: config.uploadIdleSeconds, room });
    return c.json(await shownSession(services, await putKeys(services, session, body)), 200);
  });
  app.openapi(startRun, async (c) => {
    const session = await ownSession(services, c.get("caller"), c.req.valid("param").id);
    const started = await start(services, session, c.req.valid("json").steps);
    return c.json(await shownSession(services, started), 202);
  });
  app.openapi(pauseRun, async (c) => {
    const session = await ownSession(services, c.get("caller"), c.req.valid("param").id);
    return c.json(await shownSession(services, await trainings.pause(session)), 200);
  });
  app.openapi(resumeRun, async (c) => {
    const session = await ownSession(services, c.get("caller"), c.req.valid("param").id);
    requireAllowed(session.state, "resume");
    await findLookupKeys(services, session);
    const stopAt = session.step < session.stopAt ? session.stopAt : session.spec.steps;
    return c.json(await shownSession(services, await trainings.start(session, "resume", stopAt)), 202);
  });
  app.openapi(followSession, async (c) => {
    const session = await ownSession(services, c.get("caller"), c.req.valid("param").id);
    return streamSSE(c, (stream) => sendSessionEvents(stream, services, session));
  });
  app.openapi(finishSession, async (c) => {
    const session = await ownSession(services, c.get("caller"), c.req.valid("param").id);
    requireAllowed(session.state, "finish");
    const finished = await changeTrainingSession(database, session.id, statesOf("finish"), { state: "finished" });
    if (finished === undefined) throw unknownSession();
    return c.json(await shownSession(services, finished), 200);
  });
  app.openapi(removeSession, async (c) => {
    await remove(services, await ownSession(services, c.get("caller"), c.req.valid("param").id));
    return c.body(null, 204);
  });
}

async function start(services: Services, session: TrainingSessionRow, steps: number | undefined) {
  requireAllowed(session.state, "run");
  await findLookupKeys(services, session);
  await requireComplete(services, session);
  const left = session.spec.steps - session.step;
  if (steps !== undefined && steps > left) {
    throw new SottoError("conflict", `only ${left} of ${session.spec.steps} steps are left: ask for at most these`);
  }
  return await services.trainings.start(session, "run", session.step + (steps ?? left));
}

async function remove(services: Services, session: TrainingSessionRow): Promise<void> {
  requireAllowed(session.state, "delete");
  const objects = await trainingObjects(services.database, session);
  if (!(await deleteTrainingSession(services.database, session.id, statesOf("delete")))) {
    throw wrongState("running", "delete");
  }
  for (const object of objects) await releaseObject(services, object);
}

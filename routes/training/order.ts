/** The public order of the rows, by which owners of columns align theirs: published by the owner of the session, confirmed by all of them. */
import { createHash } from "node:crypto";
import {
  changeTrainingSession,
  resetOrderConfirmations,
  setOrderConfirmation,
  type TrainingOwnerRow,
  type TrainingSessionRow,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { specOf, unknownSession } from "../../jobs/mod.ts";
import { releaseObject, storeObject } from "../../store/mod.ts";
import type { Services } from "../services.ts";
import { requireAllowed, statesOf } from "./states.ts";

/** Bytes of a published order. */
export const ORDER_BYTES_MAX = 64 * 1024 * 1024;

/** Ids as the digest is taken of them: UTF-8, one a line, in their order. */
function linesOf(ids: readonly string[]): Uint8Array {
  return new TextEncoder().encode(ids.map((id) => id + "\n").join(""));
}

/** SHA-256 of the order, hex: what owners confirm. */
export function orderDigest(ids: readonly string[]): string {
  return createHash("sha256").update(linesOf(ids)).digest("hex");
}

/** Publishes an order; confirmations of another one are forgotten. Throws `session_state` or `malformed_request`. */
export async function publishOrder(
  services: Services,
  session: TrainingSessionRow,
  ids: readonly string[],
): Promise<TrainingSessionRow> {
  requireAllowed(session.state, "prepare");
  requireIds(session, ids);
  const digest = orderDigest(ids);
  const changed = await storeObject(services, session, linesOf(ids), (orderObject) => {
    const change = { orderDigest: digest, orderObject };
    return changeTrainingSession(services.database, session.id, statesOf("prepare"), change);
  });
  if (changed === undefined) throw unknownSession();
  if (session.orderObject === changed.orderObject) return changed;
  await resetOrderConfirmations(services.database, session.id);
  await releaseObject(services, session.orderObject);
  return changed;
}

function requireIds(session: TrainingSessionRow, ids: readonly string[]): void {
  const { batch_size } = specOf(session);
  const [most, least] = [session.batchCount * batch_size, (session.batchCount - 1) * batch_size + 1];
  if (ids.length < least || ids.length > most) {
    throw malformed(`${session.batchCount} batches of ${batch_size} hold ${least} to ${most} rows, not ${ids.length}`);
  }
  if (new Set(ids).size < ids.length) throw malformed("a row is named twice");
}

/** The published ids. Throws `conflict` when there are none. */
export async function readOrder({ store }: Services, session: TrainingSessionRow): Promise<string[]> {
  if (session.orderObject === null) {
    throw new SottoError("conflict", "no row order was published: the owner of the session does it with PUT .../order");
  }
  return new TextDecoder().decode(await store.get(session.orderObject)).split("\n").slice(0, -1);
}

/** A data owner says that its rows lie in this order. Throws `session_state`, or `conflict` for another order. */
export async function confirmOrder(
  { database }: Services,
  { session, owner }: { readonly session: TrainingSessionRow; readonly owner: TrainingOwnerRow },
  digest: string,
): Promise<void> {
  requireAllowed(session.state, "prepare");
  if (session.orderDigest !== digest) {
    const published = session.orderDigest ?? "none yet";
    throw new SottoError("conflict", `your rows have the order ${digest}, published is ${published}: sort them alike`);
  }
  await setOrderConfirmation(database, owner.id, digest);
}

function malformed(message: string): SottoError {
  return new SottoError("malformed_request", `correct the request: ids: ${message}`);
}

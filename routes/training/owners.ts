/** The data owners of a session: who brings which rows, columns or labels. Their parts never overlap. */
import type { TrainingSpec } from "../../circuits/training/mod.ts";
import {
  createToken,
  type Database,
  deleteTrainingOwner,
  findTrainingOwner,
  insertTrainingOwner,
  listTrainingOwners,
  type NewToken,
  type OwnerKind,
  revokeOwnerTokens,
  type TrainingOwnerRow,
  type TrainingSessionRow,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { specOf } from "../../jobs/mod.ts";
import { releaseObject } from "../../store/mod.ts";
import type { Services } from "../services.ts";
import { requireAllowed } from "./states.ts";

/** Who is added. */
export interface NewOwner {
  readonly name: string;
  readonly kind: OwnerKind;
  /** Of an owner of columns: names of features. */
  readonly columns?: readonly string[];
  /** Of an owner of columns: it also brings the constant column that the bias belongs to. */
  readonly bias?: boolean;
  /** Of an owner of rows: the batches it fills; default: all. */
  readonly batches?: { readonly first: number; readonly count: number };
  readonly days: number;
}

/** Adds an owner and makes its token. Throws `session_state`, `malformed_request` or `conflict`. */
export async function addOwner(
  { database }: Services,
  session: TrainingSessionRow,
  request: NewOwner,
): Promise<{ owner: TrainingOwnerRow; token: NewToken }> {
  requireAllowed(session.state, "prepare");
  const owner = ownerRow(session, request);
  requireNoOverlap(specOf(session), owner, await listTrainingOwners(database, session.id));
  if (!(await insertTrainingOwner(database, owner))) {
    throw new SottoError("conflict", `the session has an owner named ${owner.name}: choose another name`);
  }
  return { owner, token: await makeToken(database, session, owner, request.days) };
}

/** Makes a further token of an owner. */
function makeToken(database: Database, session: TrainingSessionRow, owner: TrainingOwnerRow, days: number) {
  const request = { tenant: session.tenantId, scopes: ["train"] as const, days, trainingOwnerId: owner.id };
  return createToken(database, request);
}

/**
 * Revokes the tokens of an owner; while the session is being prepared the owner and its uploads are removed, too.
 * Throws `session_unknown` when the session has no such owner.
 */
export async function removeOwner(services: Services, session: TrainingSessionRow, id: string): Promise<void> {
  const { database } = services;
  const owner = await findTrainingOwner(database, id);
  if (owner?.sessionId !== session.id) {
    throw new SottoError("session_unknown", "the session has no data owner with this id: see its list of owners");
  }
  if (session.state !== "preparing") return await revokeOwnerTokens(database, id);
  for (const object of await deleteTrainingOwner(database, id)) await releaseObject(services, object);
}

function ownerRow(session: TrainingSessionRow, request: NewOwner): TrainingOwnerRow {
  const { kind, name } = request;
  if (kind !== "columns" && (request.columns !== undefined || request.bias !== undefined)) {
    throw malformed(`columns: an owner of ${kind} has none`);
  }
  if (kind !== "rows" && request.batches !== undefined) {
    throw malformed(`batches: an owner of ${kind} fills all of them`);
  }
  const { first, count } = request.batches ?? { first: 0, count: session.batchCount };
  if (first + count > session.batchCount) throw malformed(`batches: the session has ${session.batchCount}`);
  const columns = kind === "columns" ? columnNumbers(specOf(session), request) : [];
  const shape = { columns, firstBatch: first, batchCount: count };
  return {
    id: crypto.randomUUID(),
    sessionId: session.id,
    name,
    kind,
    ...shape,
    orderDigest: null,
    createdAt: new Date(),
  };
}

/** The constant column has the number after the last feature. */
function columnNumbers(spec: TrainingSpec, { columns = [], bias = false }: NewOwner): number[] {
  const numbers = columns.map((name) => {
    const number = spec.features.findIndex((feature) => feature.name === name);
    if (number < 0) throw malformed(`columns: the specification has no feature ${name}`);
    return number;
  });
  if (bias) numbers.push(spec.features.length);
  if (numbers.length === 0) throw malformed("columns: an owner of columns has at least one");
  if (new Set(numbers).size < numbers.length) throw malformed("columns: a feature is named twice");
  return numbers.sort((a, b) => a - b);
}

function requireNoOverlap(spec: TrainingSpec, owner: TrainingOwnerRow, others: readonly TrainingOwnerRow[]): void {
  for (const other of others) {
    const what = overlap(spec, owner, other);
    if (what !== undefined) throw new SottoError("conflict", `the data owner ${other.name} ${what}`);
  }
}

/** What another owner brings already; nothing when both fit together. */
function overlap(spec: TrainingSpec, owner: TrainingOwnerRow, other: TrainingOwnerRow): string | undefined {
  if ((owner.kind === "rows") !== (other.kind === "rows")) {
    return `brings ${other.kind}: a session is split by rows, or by columns and labels`;
  }
  if (owner.kind === "rows") {
    const [end, otherEnd] = [owner.firstBatch + owner.batchCount, other.firstBatch + other.batchCount];
    const [first, last] = [Math.max(owner.firstBatch, other.firstBatch), Math.min(end, otherEnd) - 1];
    return first <= last ? `fills batches ${first} to ${last} already` : undefined;
  }
  if (owner.kind === "labels" && other.kind === "labels") return "brings the labels already";
  const shared = owner.columns.find((column) => other.columns.includes(column));
  return shared === undefined ? undefined : `brings ${columnName(spec, shared)} already`;
}

/** The name of a column. */
export function columnName(spec: TrainingSpec, column: number): string {
  return column === spec.features.length ? "the constant column" : `the column ${spec.features[column].name}`;
}

function malformed(message: string): SottoError {
  return new SottoError("malformed_request", `correct the request: ${message}`);
}

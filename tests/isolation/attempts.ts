/** How an operation is called with given ids. A route, parameter or body that is not known here is an error: add it. */
import type { Operation } from "./api_document.ts";
import { nameOf } from "./api_document.ts";
import type { Belongings, Ids, Kind } from "./belongings.ts";
import { orderDigest } from "../../routes/training/order.ts";
import { SPEC } from "../server/training_support.ts";

/** What a path up to its last parameter names. */
const NAMED_BY_PATH: Readonly<Record<string, Kind>> = {
  "/v1/keys/{id}": "key",
  "/v1/models/{id}": "model",
  "/v1/jobs/{id}": "job",
  "/v1/training-sessions/{id}": "session",
  "/v1/training-sessions/{id}/owners/{owner}": "owner",
  "/v1/base-models/{id}": "baseModel",
  "/v1/fine-tuning-sessions/{id}": "fineTuning",
  "/v1/tokens/{id}": "token",
};

/** What a query parameter names. */
const NAMED_BY_QUERY: Readonly<Record<string, Kind>> = { key: "key" };

/** Parameters that name nothing of a tenant. */
const FIXED: Readonly<Record<string, string | undefined>> = {
  "{batch}": "0",
  "{group}": "layers.0.qkv",
  group: "layers.0.qkv",
  direction: "forward",
  tokens: "4",
  name: "taken",
  format: "xgboost",
  mode: undefined,
  bins: undefined,
  n_bits: undefined,
  priority: undefined,
  since: undefined,
  until: undefined,
  limit: undefined,
  cursor: undefined,
};

/** Bodies by operation: bytes, or JSON; the files are those of the tenant that is attacked. */
const BODIES: Readonly<Record<string, (ids: Ids, files: Belongings["files"]) => unknown>> = {
  "POST /v1/keys": (_ids, { keys }) => keys,
  "POST /v1/models": (_ids, { model }) => model,
  "POST /v1/models/{id}/predictions": (_ids, { rows }) => rows,
  "POST /v1/training-sessions": () => ({ name: "taken", spec: SPEC, batch_count: 1 }),
  "PUT /v1/training-sessions/{id}/keys": (_ids, { trainingKeys }) => trainingKeys,
  "POST /v1/training-sessions/{id}/runs": () => ({ steps: 1 }),
  "POST /v1/training-sessions/{id}/owners": () => ({ name: "taken", kind: "rows" }),
  "PUT /v1/training-sessions/{id}/order": () => ({ digest: orderDigest(["row"]) }),
  "PUT /v1/training-sessions/{id}/batches/{batch}": (_ids, { rows }) => rows,
  "PUT /v1/training-sessions/{id}/weights": (_ids, { trainingKeys }) => trainingKeys,
  "POST /v1/training-sessions/{id}/predictions": (_ids, { rows }) => rows,
  "POST /v1/base-models": () => ({ name: "taken", path: "tiny.gguf" }),
  "POST /v1/fine-tuning-sessions": (ids) => ({ base_model: ids.baseModel, masks: "cached", tokens_max: 16 }),
  "POST /v1/fine-tuning-sessions/{id}/products": (_ids, { rows }) => rows,
  "POST /v1/tokens": () => ({ scopes: ["predict"], days: 1 }),
  "POST /v1/tokens/{id}/rotation": () => ({ days: 1, grace_seconds: 0 }),
};

/** A request as `call` takes it. */
export interface Attempt {
  readonly path: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: BodyInit;
}

/** The request of an operation that names these ids. */
export function attemptOf(operation: Operation, ids: Ids, files: Belongings["files"]): Attempt {
  const { method, bodyTypes } = operation;
  const path = pathOf(operation, ids) + queryOf(operation, ids);
  if (bodyTypes.length === 0) return { path, method, headers: {} };
  const content = known(BODIES, nameOf(operation), "body")(ids, files);
  if (content instanceof Uint8Array) return { path, method, headers: {}, body: content as Uint8Array<ArrayBuffer> };
  return { path, method, headers: { "content-type": "application/json" }, body: JSON.stringify(content) };
}

/** The kinds of objects that an operation names in its path, its query or its body. */
export function kindsOf(operation: Operation, ids: Ids, files: Belongings["files"]): Kind[] {
  const read = new Set<Kind>();
  const watched = new Proxy(ids, {
    get(target, kind) {
      read.add(kind as Kind);
      return target[kind as Kind];
    },
  });
  attemptOf(operation, watched, files);
  return [...read];
}

function pathOf({ path }: Operation, ids: Ids): string {
  return path.replace(/\{\w+\}/g, (parameter, offset: number) => {
    if (parameter in FIXED) return FIXED[parameter]!;
    return ids[known(NAMED_BY_PATH, path.slice(0, offset) + parameter, "path")];
  });
}

function queryOf({ queryParameters }: Operation, ids: Ids): string {
  const query = new URLSearchParams();
  for (const name of queryParameters) {
    const value = name in FIXED ? FIXED[name] : ids[known(NAMED_BY_QUERY, name, "query parameter")];
    if (value !== undefined) query.set(name, value);
  }
  return query.size === 0 ? "" : `?${query}`;
}

function known<T>(table: Readonly<Record<string, T>>, key: string, what: string): T {
  if (key in table) return table[key];
  throw new Error(`the isolation suite does not know the ${what} of ${key}: say in attempts.ts what it names`);
}

import { call, type TestServer } from "../support/server.ts";
import type { Attempt } from "./attempts.ts";
import type { Ids, Kind } from "./belongings.ts";

/** Headers that differ from answer to answer for everybody. */
const VOLATILE_HEADERS = /^(x-request-id|date|retry-after|(x-)?ratelimit.*|traceparent|sotto-server-ms)$/;
const VOLATILE_FIELDS = /"(request_id|estimated_seconds_left|last_used_at)":("[^"]*"|[\d.]+|null),?/g;

/** What can be learnt from an answer. */
export interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends an attempt; the ids that it named read `<kind>` in what is returned, so that attempts can be compared. */
export async function send(server: TestServer, token: string, attempt: Attempt, named: Ids): Promise<Seen> {
  const answer = await call(server, attempt.path, { ...attempt, token });
  const body = new TextDecoder("latin1").decode(await answer.bytes());
  const headers = [...answer.headers].filter(([name]) => !VOLATILE_HEADERS.test(name));
  const seen = {
    status: answer.status,
    headers: Object.fromEntries(headers.map(([name, value]) => [name, hide(value, named)])),
    body: hide(body.replace(VOLATILE_FIELDS, ""), named),
  };
  return seen;
}

function hide(text: string, named: Ids): string {
  return Object.entries(named).reduce((hidden, [kind, id]) => hidden.replaceAll(id, `<${kind}>`), text);
}

/** Ids of the right form that name nothing. */
export function unknownIds(like: Ids): Ids {
  return Object.fromEntries(
    Object.entries(like).map(([kind, id]) => [kind, unknownLike(id)]),
  ) as Record<Kind, string>;
}

function unknownLike(id: string): string {
  if (id.includes("-")) return crypto.randomUUID();
  return crypto.getRandomValues(new Uint8Array(id.length / 2)).toHex();
}

/** What is kept of an answer. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Null: it holds a token, which is never kept. */
  readonly body: string | null;
}

const BYTES_MAX = 64 * 1024;
const HEADERS = ["content-type", "location", "preference-applied"];

/** The answer to keep; nothing for an error, a file, or an answer that is too long: the request may be done again. */
export async function keptAnswer(answer: Response): Promise<KeptAnswer | undefined> {
  if (!answer.ok) return undefined;
  const headers = Object.fromEntries(HEADERS.flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, value]];
  }));
  if (answer.status === 204) return { status: 204, headers, body: "" };
  if (!headers["content-type"]?.startsWith("application/json")) return undefined;
  const body = await answer.clone().text();
  if (new TextEncoder().encode(body).length > BYTES_MAX) return undefined;
  return { status: answer.status, headers, body: holdsToken(body) ? null : body };
}

function holdsToken(body: string): boolean {
  const value: unknown = JSON.parse(body);
  return typeof value === "object" && value !== null && "token" in value;
}

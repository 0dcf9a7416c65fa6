/** An HTTP proxy between a client and a server, which fails on request. */

/** What becomes of a request. */
export type Fault =
  /** It goes through. */
  | "none"
  /** The server is said to be overloaded. */
  | "503"
  /** Half of the answer comes, then the connection breaks. */
  | "cut"
  /** Half of the answer comes as if it were all. */
  | "short"
  /** Half of the answer comes, then nothing, but the connection stays. */
  | "silence"
  /** The answer comes in small pieces with pauses. */
  | "slow";

export interface FaultyProxy extends AsyncDisposable {
  readonly url: string;
  /** Requests that came, as `METHOD path`. */
  readonly seen: string[];
  /** Decides for each request; everything goes through by default. */
  decide: (request: Request) => Fault;
}

/** Starts a proxy before `target`. */
export function startFaultyProxy(target: string): FaultyProxy {
  const ended = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, onError: () => gone() },
    (request) => {
      const { pathname, search } = new URL(request.url);
      proxy.seen.push(`${request.method} ${pathname}`);
      return answer(request, `${target}${pathname}${search}`, proxy.decide(request), ended.signal);
    },
  );
  const proxy: FaultyProxy = {
    url: `http://127.0.0.1:${server.addr.port}`,
    seen: [],
    decide: () => "none",
    async [Symbol.asyncDispose]() {
      ended.abort();
      await server.shutdown();
    },
  };
  return proxy;
}

const gone = () => new Response(null, { status: 502 });

async function answer(request: Request, url: string, fault: Fault, ended: AbortSignal): Promise<Response> {
  const body = request.body === null ? undefined : await request.bytes();
  if (fault === "503") {
    return new Response("<Error><Code>SlowDown</Code><Message>later</Message></Error>", { status: 503 });
  }
  const headers = new Headers(request.headers);
  headers.delete("accept-encoding");
  const answered = await fetch(url, { method: request.method, headers, body, redirect: "manual" });
  if (fault === "none") return answered;
  const whole = await answered.bytes();
  const half = whole.slice(0, Math.floor(whole.length / 2));
  const sent = new Headers(answered.headers);
  sent.set("content-length", String(fault === "short" ? half.length : whole.length));
  const pieces = { short: [half], cut: broken(half), silence: silent(half, ended), slow: slow(whole) }[fault];
  return new Response(ReadableStream.from(pieces), { status: answered.status, headers: sent });
}

async function* broken(half: Uint8Array) {
  yield half;
  await pause(20);
  throw new Error("cut");
}

async function* silent(half: Uint8Array, ended: AbortSignal) {
  yield half;
  await new Promise((resolve) => ended.addEventListener("abort", resolve));
  throw new Error("ended");
}

async function* slow(whole: Uint8Array) {
  const size = Math.ceil(whole.length / 10);
  for (let start = 0; start < whole.length; start += size) {
    yield whole.slice(start, start + size);
    await pause(50);
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

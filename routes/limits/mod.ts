/** Limits of tenants and tokens: what a minute may hold, what may be inside at a time. */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { Config } from "../../config.ts";
import { type Caller, type Database, RateCounter, removeRateLimits } from "../../db/mod.ts";
import type { Log } from "../../jobs/mod.ts";
import type { Gate } from "../gate.ts";
import type { Env } from "../services.ts";
import { Load } from "./load.ts";
import { type Allowance, RateLimit, requireAllowed } from "./rate_limit.ts";
import { RefusedTokens } from "./refused_tokens.ts";
import { limitsOf } from "./tenant_limits.ts";
import { Upload } from "./upload.ts";

export { limitsOf } from "./tenant_limits.ts";

const WINDOW_SECONDS = 60;

/** What the limits are kept with. */
export interface LimitParts {
  readonly config: Config;
  readonly database: Database;
  readonly log: Log;
  readonly predictions: Gate;
}

/** Keeps the limits of one server; they hold over all servers of its database. */
export class Limits {
  readonly refusedTokens: RefusedTokens;
  readonly load: Load;
  readonly #rate: RateLimit;

  constructor(private readonly parts: LimitParts) {
    this.refusedTokens = new RefusedTokens(parts.config.refusedTokensPerMinute);
    this.load = new Load(parts.database, parts.log, parts.predictions);
    this.#rate = new RateLimit(new RateCounter(parts.database));
  }

  /** Runs `work` inside the gate of predictions. Throws `rate_limited` or `busy`. */
  prediction<T>(caller: Caller, work: () => Promise<T>): Promise<T> {
    const { queuedRequests } = limitsOf(this.parts.config, caller.tenant);
    const elsewhere = this.load.elsewhere(caller.tenantId).queued;
    return this.parts.predictions.admit(caller.tenantId, work, queuedRequests - elsewhere);
  }

  /** Counts a request of the caller, by its token when that has a limit, and by its tenant. */
  async request({ id, tenantId, tenant, requestsPerMinute }: Caller): Promise<Record<string, Allowance>> {
    const limit = limitsOf(this.parts.config, tenant).requestsPerMinute;
    const ofTenant = { key: `requests tenant ${tenantId}`, unit: "requests", limit };
    if (requestsPerMinute === null) return { tenant: await this.#rate.take(ofTenant, 1) };
    const ofToken = { key: `requests token ${id}`, unit: "requests with this token", limit: requestsPerMinute };
    const token = await this.#rate.take(ofToken, 1);
    return token.refused ? { token } : { token, tenant: await this.#rate.take(ofTenant, 1) };
  }

  /** Counts bytes of a body. Throws `rate_limited`. */
  async bytes({ tenantId, tenant }: Caller, bytes: number): Promise<void> {
    const limit = limitsOf(this.parts.config, tenant).uploadBytesPerMinute;
    requireAllowed(await this.#rate.take({ key: `bytes tenant ${tenantId}`, unit: "bytes", limit }, bytes));
  }

  /** Removes what is over. */
  async tidy(): Promise<void> {
    await removeRateLimits(this.parts.database, new Date(Date.now() - WINDOW_SECONDS * 1000));
    await this.load.tidy();
  }

  async close(): Promise<void> {
    await this.refusedTokens.close();
    await this.load.close();
  }
}

/** Lets a request of an authenticated caller in, or refuses it with `rate_limited`; says in headers what is left. */
export function limitRequests(limits: Limits, config: Config) {
  return createMiddleware<Env>(async (c, next) => {
    const caller = c.get("caller");
    const allowances = await limits.request(caller);
    showAllowances(c, allowances);
    Object.values(allowances).forEach(requireAllowed);
    const upload = await beginUpload(limits, c, caller);
    c.set("upload", upload);
    const { concurrentRequests } = limitsOf(config, caller.tenant);
    await limits.load.request(caller.tenantId, concurrentRequests, () => next());
    await upload.end();
  });
}

async function beginUpload(limits: Limits, c: Context<Env>, caller: Caller): Promise<Upload> {
  const charge = (bytes: number) => limits.bytes(caller, bytes);
  const header = c.req.header("content-length");
  const declared = header === undefined ? undefined : Number(header) || 0;
  if (declared !== undefined && declared > 0) await charge(declared);
  return new Upload(declared, charge);
}

/** The headers of draft-ietf-httpapi-ratelimit-headers. */
function showAllowances(c: Context<Env>, allowances: Record<string, Allowance>): void {
  const list = (text: (name: string, allowance: Allowance) => string) =>
    Object.entries(allowances).map(([name, allowance]) => text(name, allowance)).join(", ");
  c.header("ratelimit-policy", list((name, { limit }) => `"${name}";q=${limit};w=${WINDOW_SECONDS}`));
  c.header("ratelimit", list((name, { left, resetSeconds }) => `"${name}";r=${left};t=${resetSeconds}`));
}

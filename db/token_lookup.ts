import { eq, inArray } from "drizzle-orm";
import type { Database } from "./database.ts";
import { tenants, tokens } from "./schema.ts";
import { SharedLookup } from "./shared_lookup.ts";
import type { Tenant } from "./tenants.ts";
import { type TokenInfo, TOUCH_MS } from "./tokens.ts";

/** Tokens whose last use is kept in mind. */
const USES_MAX = 10_000;

/** A token's row and its tenant. */
export interface FoundToken {
  readonly row: typeof tokens.$inferSelect;
  readonly tenant: Tenant;
}

/** Finds tokens by id; requests share its queries. */
export class TokenLookup {
  readonly #found: SharedLookup<FoundToken>;
  readonly #used = new Map<string, number>();

  constructor(database: Database) {
    this.#found = new SharedLookup((ids) => findTokens(database, ids));
  }

  /** The token as it is now. */
  find(id: string): Promise<FoundToken | undefined> {
    return this.#found.find(id);
  }

  /** Whether the use of a token is to be noted: one of many at the same time is told so. */
  isUseNews({ id, lastUsedAt }: TokenInfo, now: Date): boolean {
    const last = Math.max(lastUsedAt?.getTime() ?? 0, this.#used.get(id) ?? 0);
    if (now.getTime() - last < TOUCH_MS) return false;
    if (this.#used.size >= USES_MAX) this.#used.clear();
    this.#used.set(id, now.getTime());
    return true;
  }
}

async function findTokens({ queries }: Database, ids: string[]): Promise<Map<string, FoundToken>> {
  const rows = await queries.select({ row: tokens, tenant: tenants }).from(tokens)
    .innerJoin(tenants, eq(tenants.id, tokens.tenantId))
    .where(inArray(tokens.id, ids));
  return new Map(rows.map((found) => [found.row.id, found]));
}

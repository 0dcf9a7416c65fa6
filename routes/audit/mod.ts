import type { OpenAPIHono, z } from "@hono/zod-openapi";
import { type AuditRow, listAudit } from "../../db/mod.ts";
import type { Env, Services } from "../services.ts";
import { type auditRowSchema, showAudit } from "./contract.ts";

/** Adds the route of the audit log; it shows the rows of the caller's own tenant only. */
export function addAuditRoutes(app: OpenAPIHono<Env>, { database }: Services): void {
  app.openapi(showAudit, async (c) => {
    const { since, until, limit, cursor } = c.req.valid("query");
    const filter = { tenantId: c.get("caller").tenantId, since: instant(since), until: instant(until) };
    const rows = await listAudit(database, filter, { limit: limit + 1, before: cursor });
    const page = rows.slice(0, limit);
    return c.json({ audit: page.map(shown), next: rows.length > limit ? page[limit - 1].id : null }, 200);
  });
}

function instant(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

function shown(row: AuditRow): z.infer<typeof auditRowSchema> {
  return {
    id: row.id,
    at: row.at.toISOString(),
    token: row.tokenId,
    action: row.action,
    subject: row.subject,
    bytes_in: row.bytesIn,
    bytes_out: row.bytesOut,
    status: row.status,
    code: row.code,
    request_id: row.requestId,
    ms: row.ms,
  };
}

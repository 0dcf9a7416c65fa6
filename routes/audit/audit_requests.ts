import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { NewAuditRow } from "../../db/mod.ts";
import { routeTemplate } from "../route_template.ts";
import type { Env } from "../services.ts";
import type { AuditLog } from "./audit_log.ts";

const READING = ["GET", "HEAD", "OPTIONS"];
/** Ids of subjects; anything else in a path may be data. */
const ID = /^[A-Za-z0-9._-]{1,100}$/;

/** One row for every request that changes, computes or hands out something; reads of records leave none. */
export function auditRequests(audit: AuditLog) {
  return createMiddleware<Env>(async (c, next) => {
    const [at, start] = [new Date(), performance.now()];
    await next();
    if (!isAudited(c)) return;
    await audit.record(rowOf(c, at, performance.now() - start));
  });
}

function isAudited(c: Context<Env>): boolean {
  return !READING.includes(c.req.method) || c.res.headers.get("content-type") === "application/octet-stream";
}

function rowOf(c: Context<Env>, at: Date, ms: number): NewAuditRow {
  const { id, tenantId } = c.get("caller");
  const bytesOut = c.res.headers.get("content-length");
  return {
    at,
    tenantId,
    tokenId: id,
    action: `${c.req.method} ${routeTemplate(c)}`,
    subject: subjectOf(c),
    bytesIn: c.get("upload").bytes,
    bytesOut: bytesOut === null ? null : Number(bytesOut),
    status: c.res.status,
    code: c.get("errorCode") ?? null,
    requestId: c.get("requestId"),
    ms: Math.round(ms),
  };
}

/** What was made, and what the path names. */
function subjectOf(c: Context<Env>): string | null {
  const named = Object.values(c.req.param() as Record<string, string>);
  const made = c.get("subject") ?? c.res.headers.get("location")?.split("/").at(-1);
  const ids = [...named, made].filter((id) => id !== undefined && ID.test(id));
  return ids.length === 0 ? null : ids.join("/");
}

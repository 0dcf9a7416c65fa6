/** What the server says of tokens and of their use. */
import { z } from "zod";

/** A token as the server shows it. */
export const tokenSchema = z.object({
  id: z.string(),
  name: z.string().default(""),
  scopes: z.array(z.string()),
  created_at: z.string().nullish(),
  expires_at: z.string().nullish(),
  revoked_at: z.string().nullish(),
  last_used_at: z.string().nullish(),
  replaced_by: z.string().nullish(),
  requests_per_minute: z.number().nullish(),
});
/** The answer that holds a new token. */
export const newTokenSchema = z.object({ id: z.string(), token: z.string() });
/** The answer of a rotation. */
export const rotatedTokenSchema = newTokenSchema.extend({ old: tokenSchema });
/** One page of the audit log. */
export const auditPageSchema = z.object({
  audit: z.array(z.looseObject({ id: z.number(), at: z.string(), action: z.string(), status: z.number() })),
  next: z.number().nullable(),
});

/** A token without its secret. */
export type TokenSummary = z.infer<typeof tokenSchema>;
/** Answer of the call that makes a token: the only time the token itself is shown. */
export type NewToken = z.infer<typeof newTokenSchema>;
/** A new token, and the one whose place it takes with the end of its grace time. */
export type RotatedToken = z.infer<typeof rotatedTokenSchema>;
/** One row of the audit log. */
export type AuditEntry = z.infer<typeof auditPageSchema>["audit"][number];
/** Which rows of the audit log, as ISO 8601: from `since` on, before `until`. */
export interface AuditRange {
  readonly since?: string;
  readonly until?: string;
}
/** What a token is made with. */
export interface TokenRequest {
  readonly name?: string;
  readonly scopes: readonly string[];
  readonly days?: number;
  readonly requests_per_minute?: number | null;
}

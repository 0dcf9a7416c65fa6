import type { Config } from "../../config.ts";
import type { Tenant } from "../../db/mod.ts";

/** What a tenant may: its own numbers, or the server's. */
export interface EffectiveLimits {
  readonly requestsPerMinute: number;
  readonly uploadBytesPerMinute: number;
  /** Requests inside. */
  readonly concurrentRequests: number;
  /** Predictions that compute or wait. */
  readonly queuedRequests: number;
}

/** The limits that hold for a tenant. */
export function limitsOf(config: Config, tenant: Tenant): EffectiveLimits {
  return {
    requestsPerMinute: tenant.requestsPerMinute ?? config.requestsPerMinute,
    uploadBytesPerMinute: tenant.uploadBytesPerMinute ?? config.uploadBytesPerMinute,
    concurrentRequests: tenant.concurrentRequests ?? config.concurrentRequests,
    queuedRequests: tenant.queuedRequests ?? config.queuedRequests ??
      config.concurrentPredictions + Math.ceil(config.queuedPredictions / 2),
  };
}

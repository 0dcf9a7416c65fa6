import type { Config } from "../../config.ts";
import { SottoError } from "../../errors.ts";

/** Bounds the unfinished jobs, those of one tenant and all of them; a job takes its slot before its rows are read. */
export class JobSlots {
  readonly #tenants = new Map<string, string>();

  constructor(private readonly limits: Pick<Config, "queuedJobs" | "jobsPerTenant">) {}

  /** Throws `busy` or `quota_exceeded`. */
  take(id: string, tenantId: string): void {
    const { queuedJobs, jobsPerTenant } = this.limits;
    const mine = [...this.#tenants.values()].filter((tenant) => tenant === tenantId).length;
    if (mine >= jobsPerTenant) {
      throw new SottoError("quota_exceeded", `you have ${mine} unfinished jobs, as many as you may: wait for one`);
    }
    if (this.#tenants.size >= queuedJobs) {
      throw new SottoError("busy", "the server has as many jobs as it takes: send the request again later");
    }
    this.#tenants.set(id, tenantId);
  }

  /** Gives the slot back; twice is allowed. */
  free(id: string): void {
    this.#tenants.delete(id);
  }
}

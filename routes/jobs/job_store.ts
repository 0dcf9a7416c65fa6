import type { Job } from "./job.ts";

/** What may change of a job. */
export type JobChange = Partial<Pick<Job, "state" | "progress" | "startedAt" | "finishedAt" | "error" | "serverMs">>;

/** The port of the job records. */
export interface JobStore {
  insert(job: Job): Promise<void>;
  find(id: string): Promise<Job | undefined>;
  /** The changed job, or nothing when it is gone. */
  update(id: string, change: JobChange): Promise<Job | undefined>;
  delete(id: string): Promise<void>;
}

/** Job records that live as long as the process. */
export function memoryJobStore(): JobStore {
  const jobs = new Map<string, Job>();
  return {
    insert: (job) => Promise.resolve(void jobs.set(job.id, job)),
    find: (id) => Promise.resolve(jobs.get(id)),
    update(id, change) {
      const job = jobs.get(id);
      const changed = job === undefined ? undefined : { ...job, ...change };
      if (changed !== undefined) jobs.set(id, changed);
      return Promise.resolve(changed);
    },
    delete: (id) => Promise.resolve(void jobs.delete(id)),
  };
}

/**
 * Start-time fair queuing (Goyal, Vin, Cheng: Start-time Fair Queueing, 1996, section 2): a part starts at
 * max(virtual second, finish tag of the tenant's part before), it finishes its seconds / weight later, and parts are taken in the order
 * of their start tags. The virtual second is the start tag of what was taken last. A tenant that sends more waits longer, others do not.
 */
import {
  advanceClock,
  type Database,
  findPlaces,
  type JobPriority,
  restartIdleClock,
  saveFinishTag,
} from "../db/mod.ts";
import type { JobRow } from "../db/mod.ts";
import { queueName } from "./queue_names.ts";

const WEIGHTS: Readonly<Record<JobPriority, number>> = { low: 0.25, normal: 1, high: 4 };

/** Largest number of pg-boss's priorities, which are 32-bit integers. */
const PRIORITY_MAX = 2 ** 31 - 1;

/** Start tags of parts of so many planned seconds, and the finish tag after them. */
export function startTags(
  begin: { readonly virtualSecond: number; readonly finishTag: number },
  seconds: readonly number[],
  priority: JobPriority,
): { tags: number[]; finishTag: number } {
  let finishTag = Math.max(begin.virtualSecond, begin.finishTag);
  const tags = seconds.map((planned) => {
    const tag = finishTag;
    finishTag += planned / WEIGHTS[priority];
    return tag;
  });
  return { tags, finishTag };
}

/** The priority of a message: earlier tags first, to the tenth of a second. */
export function priorityOf(startTag: number): number {
  return -Math.min(PRIORITY_MAX, Math.round(startTag * 10));
}

type Placed = Pick<JobRow, "kind" | "capability" | "tenantId" | "priority">;

/** Gives the parts of a job their places, in the transaction that adds them and holds `lockPlaces`. */
export async function takePlaces(inside: Database, job: Placed, seconds: readonly number[]): Promise<number[]> {
  const queue = queueName(job);
  await restartIdleClock(inside, queue, job.kind, job.capability);
  const { tags, finishTag } = startTags(await findPlaces(inside, queue, job.tenantId), seconds, job.priority);
  await saveFinishTag(inside, queue, job.tenantId, finishTag);
  return tags;
}

/** Notes that a part was taken. */
export function noteTaken(inside: Database, job: Placed, startTag: number): Promise<void> {
  return advanceClock(inside, queueName(job), startTag);
}

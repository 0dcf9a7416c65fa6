/** The invariants after a fault, read over HTTP and from the data folder. */
import { walk } from "./walk.ts";
import { type Address, areRight, digestOf, jobHeaders, lookAt, type Prepared, send } from "./customer.ts";
import type { AcknowledgedJob, Ledger } from "./ledger.ts";

/** What is not as it must be; all are zero when a fault was survived. */
export interface Damage {
  /** Acknowledged keys, models and jobs that are not there. */
  lost: number;
  /** Jobs whose answers are others than before, or wrong, or that a repeated submission made again. */
  changed: number;
  /** Jobs that have not ended although everything runs. */
  stuck: number;
  /** Jobs that ended as failed or cancelled, which nobody asked for. */
  failed: number;
  /** Temporary files that nobody uses. */
  leftovers: number;
  /** What each of them is. */
  readonly details: string[];
}

/** Generous: a job of a killed worker is taken over after its lease, ten seconds, has run out, and may be so more than once. */
const SETTLE_MS = 180_000;

/** Waits for the jobs to end, and checks everything that was ever acknowledged. */
export async function verify(address: Address, prepared: Prepared, ledger: Ledger, dataDir: string): Promise<Damage> {
  const damage: Damage = { lost: 0, changed: 0, stuck: 0, failed: 0, leftovers: 0, details: [] };
  await settle(address, ledger);
  for (const id of ledger.keys) await expectThere(address, `/v1/keys/${id}`, damage);
  for (const id of ledger.models) await expectThere(address, `/v1/models/${id}`, damage);
  for (const job of ledger.jobs.values()) await checkJob(address, prepared, job, damage);
  for (const path of await leftoversOf(dataDir)) {
    damage.leftovers++;
    damage.details.push(`left over: ${path}`);
  }
  return damage;
}

async function settle(address: Address, ledger: Ledger): Promise<void> {
  const end = Date.now() + SETTLE_MS;
  while (ledger.unfinished.length > 0 && Date.now() < end) {
    for (const job of ledger.unfinished) if (await lookAt(address, job) === 404) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function expectThere(address: Address, path: string, damage: Damage): Promise<void> {
  const answer = await send(address, path);
  if (answer?.ok) return;
  damage.lost++;
  damage.details.push(`lost: ${path} is ${answer?.status}`);
}

async function checkJob(address: Address, prepared: Prepared, job: AcknowledgedJob, damage: Damage): Promise<void> {
  const status = await lookAt(address, job);
  if (status !== 200) {
    damage.lost++;
    damage.details.push(`lost: job ${job.id} is ${status}`);
  } else if (job.ended === undefined) {
    damage.stuck++;
    damage.details.push(`stuck: job ${job.id}`);
  } else if (job.ended !== "succeeded") {
    damage.failed++;
    damage.details.push(`${job.ended}: job ${job.id}, ${job.reason}`);
  } else await checkAnswers(address, prepared, job, damage);
}

async function checkAnswers(address: Address, prepared: Prepared, job: AcknowledgedJob, damage: Damage): Promise<void> {
  const answer = await send(address, `/v1/jobs/${job.id}/answers`);
  const file = await answer?.bytes();
  const same = file !== undefined && await digestOf(file) === job.answers && await areRight(prepared, file);
  const again = await send(address, prepared.path, {
    method: "POST",
    body: prepared.long,
    headers: jobHeaders(job.key),
  });
  const { id } = await again?.json() ?? {};
  if (same && id === job.id) return;
  damage.changed++;
  damage.details.push(same ? `job ${job.id} was made again as ${id}` : `the answers of job ${job.id} changed`);
}

/** Files that are neither objects nor the embedded database nor locks. */
async function leftoversOf(dataDir: string): Promise<string[]> {
  const end = Date.now() + 30_000;
  for (;;) {
    const found = (await Array.fromAsync(walk(dataDir))).map((path) => path.slice(dataDir.length + 1));
    const left = found.filter((path) => !/^objects\/[0-9a-f]{2}\/|^pglite\/|lock$/.test(path));
    if (left.length === 0 || Date.now() > end) return left;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

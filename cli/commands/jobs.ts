/** `sotto jobs`: what the server computes later. */
import type { Command } from "commander";
import type { Job } from "../../client/mod.ts";
import type { Context } from "../context.ts";
import { connect, examples, type ServerOptions, wholeNumber, withServer } from "../options.ts";
import { printRecords } from "../tables.ts";

interface ListOptions extends ServerOptions {
  readonly limit: number;
}

const PAGE_JOBS = 200;

/** Adds the group to the program. */
export function addJobs(program: Command, context: Context): void {
  const jobs = program.command("jobs").description("predictions of many rows, training runs and imports on the server");
  withServer(jobs.command("list"))
    .description("list jobs, newest first")
    .option("--limit <count>", "jobs at most", wholeNumber(1, 100_000), 50)
    .addHelpText("after", examples("sotto jobs list", "sotto jobs list --limit 500 --json"))
    .action((options: ListOptions) => list(context, options));
  withServer(jobs.command("show <id>"))
    .description("show a job")
    .addHelpText("after", examples("sotto jobs show 0b8f7f0e-2f0c-4a53-9f0e-7d0f3c1d2e4a"))
    .action((id: string, options: ServerOptions) => show(context, id, options));
  withServer(jobs.command("cancel <id>"))
    .description("stop a job, or forget one that has ended together with its answers")
    .addHelpText("after", examples("sotto jobs cancel 0b8f7f0e-2f0c-4a53-9f0e-7d0f3c1d2e4a"))
    .action((id: string, options: ServerOptions) => cancel(context, id, options));
}

async function list(context: Context, options: ListOptions): Promise<void> {
  const client = connect(options);
  const jobs: Job[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null && jobs.length < options.limit) {
    const limit = Math.min(PAGE_JOBS, options.limit - jobs.length);
    const page = await client.listJobs({ limit, ...(cursor === undefined ? {} : { cursor }) });
    jobs.push(...page.jobs);
    cursor = page.next;
  }
  if (options.json) return context.out(JSON.stringify(jobs, null, 2) + "\n");
  const columns = ["id", "kind", "state", "rows", "done", "seconds_left", "created_at"] as const;
  printRecords(context, jobs.map(line), columns, false);
}

function line(job: Job) {
  return {
    ...job,
    done: `${Math.floor(job.progress * 100)} %`,
    seconds_left: Math.ceil(job.estimated_seconds_left),
  };
}

async function show(context: Context, id: string, options: ServerOptions): Promise<void> {
  const job = await connect(options).getJob(id);
  if (options.json) return context.out(JSON.stringify(job, null, 2) + "\n");
  const { parts, error, ...rest } = job;
  const lines = {
    ...rest,
    parts: `${parts.done} of ${parts.total}`,
    ...(error && { error: `${error.code}: ${error.detail}` }),
  };
  for (const [name, value] of Object.entries(lines)) context.out(`${name.replaceAll("_", " ")}: ${value ?? "-"}\n`);
}

async function cancel(context: Context, id: string, options: ServerOptions): Promise<void> {
  const client = connect(options);
  const { state } = await client.getJob(id);
  await client.deleteJob(id);
  const became = state === "queued" || state === "running" ? "cancelled" : "forgotten";
  context.out(options.json ? JSON.stringify({ id, became }) + "\n" : `${became} ${id}\n`);
}

/** `sotto health`: whether a server can work, for supervisors of containers. */
import { type Command, Option } from "commander";
import { z } from "zod";
import { readConfig } from "../../config.ts";
import { SottoError } from "../../errors.ts";
import type { Context } from "../context.ts";
import { examples } from "../options.ts";

interface HealthOptions {
  readonly url?: string;
}

const readySchema = z.object({
  status: z.string(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string().optional() })),
});
/** Longer than any check takes on a server that works. */
const PATIENCE_MS = 10_000;

/** Adds the command to the program. */
export function addHealth(program: Command, context: Context): void {
  program.command("health")
    .description("ask a server whether it can work; fails when it does not answer or a check fails")
    .addOption(
      new Option("--url <url>", "address of the server (default: the port of SOTTO_PORT on this machine)").env(
        "SOTTO_URL",
      ),
    )
    .addHelpText("after", examples("sotto health", "sotto health --url https://sotto.example.org"))
    .action((options: HealthOptions) => health(context, options));
}

async function health(context: Context, { url }: HealthOptions): Promise<void> {
  const base = url ?? `http://127.0.0.1:${readConfig().port}`;
  const { checks, status } = await ask(base);
  for (const { name, ok, detail } of checks) context.out(`${name}: ${ok ? "ok" : detail ?? "failed"}\n`);
  if (status !== "ok") throw new SottoError("server_unreachable", `${base} answers but cannot work: see its checks`);
}

async function ask(base: string): Promise<z.infer<typeof readySchema>> {
  try {
    const answer = await fetch(new URL("/readyz", base), { signal: AbortSignal.timeout(PATIENCE_MS) });
    return readySchema.parse(await answer.json());
  } catch (cause) {
    throw new SottoError("server_unreachable", `no Sotto server answers at ${base}: is it running there?`, { cause });
  }
}

/**
 * Everything that continuous integration runs, on a clean machine with Node, a C++ compiler and CMake:
 *
 *     deno task test [--only FILTER] [paths...]
 *
 * The gate (format, lint, types, arrows), the native tests (also under sanitizers), then every Deno test.
 * Ends with "N passed, N failed" alone on a line; the exit code is 0 when nothing failed.
 */
import { buildKernels } from "./build.ts";
import { findArrows } from "./check_arrows.ts";

const deno = Deno.execPath();
const encoder = new TextEncoder();

interface Count {
  passed: number;
  failed: number;
}
const total: Count = { passed: 0, failed: 0 };

async function step(name: string, run: () => Promise<Count | void>): Promise<void> {
  const started = performance.now();
  let count: Count;
  try {
    count = await run() ?? { passed: 1, failed: 0 };
  } catch (error) {
    console.log(error instanceof Error ? error.message : String(error));
    count = { passed: 0, failed: 1 };
  }
  total.passed += count.passed;
  total.failed += count.failed;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${count.failed ? "FAILED" : "ok"}  ${name} (${seconds} s)`);
}

/** Runs a command, shows its output as it comes, and returns all of it. */
async function show(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ success: boolean; text: string }> {
  const child = new Deno.Command(command, { args, env: { NO_COLOR: "1", ...env }, stdout: "piped", stderr: "inherit" })
    .spawn();
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    await Deno.stdout.write(encoder.encode(chunk));
  }
  return { success: (await child.status).success, text };
}

/** A quiet command; its words only when it fails. */
async function quiet(command: string, args: string[]): Promise<void> {
  const output = await new Deno.Command(command, { args, env: { NO_COLOR: "1" }, stdout: "piped", stderr: "piped" })
    .output();
  if (output.success) return;
  const decoder = new TextDecoder();
  throw new Error(decoder.decode(output.stdout) + decoder.decode(output.stderr));
}

async function nativeTests(sanitize: boolean): Promise<Count> {
  const folder = await buildKernels({ sanitize });
  const { success, text } = await show(`${folder}/sotto_tests`, []);
  const match = text.match(/^(\d+) passed, (\d+) failed$/m);
  if (!match) throw new Error("the native tests ended without a count");
  const [passed, failed] = [Number(match[1]), Number(match[2])];
  return { passed, failed: success ? failed : Math.max(failed, 1) };
}

async function denoTests(paths: string[]): Promise<Count> {
  const { success, text } = await show(deno, ["test", "-A", "--v8-flags=--expose-gc", ...paths]);
  const match = [...text.matchAll(/\| (\d+) passed.*?\| (\d+) failed/g)].at(-1);
  if (!match) throw new Error("the tests ended without a count");
  const [passed, failed] = [Number(match[1]), Number(match[2])];
  return { passed, failed: success ? failed : Math.max(failed, 1) };
}

const paths = Deno.args;
if (paths.length === 0) {
  await step("packages are installed as locked", () => quiet(deno, ["install", "--frozen"]));
  await step("the code is formatted", () => quiet(deno, ["fmt", "--check"]));
  await step("the code passes the linter", () => quiet(deno, ["lint"]));
  await step("the types check", () => quiet(deno, ["check", "."]));
  await step("imports follow the arrows of the architecture", async () => {
    const wrong = await findArrows();
    if (wrong.length) throw new Error(wrong.join("\n"));
  });
  await step("native tests", () => nativeTests(false));
  await step("native tests under the address and undefined-behaviour sanitizers", () => nativeTests(true));
} else {
  await buildKernels({ log: console.log });
}
await step("tests", () => denoTests(paths));
console.log(`${total.passed} passed, ${total.failed} failed`);
Deno.exit(total.failed || !total.passed ? 1 : 0);

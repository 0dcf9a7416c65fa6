/** The server's structured log: one JSON object a line on standard error. */
import { configure, getJsonLinesFormatter, getLogger, type LogRecord } from "@logtape/logtape";
import type { Config } from "../config.ts";
import type { Log } from "../jobs/mod.ts";

/** Configures the log of this process and returns the server's part of it. */
export async function openLog(level: Config["logLevel"]): Promise<Log> {
  const format = getJsonLinesFormatter();
  const encoder = new TextEncoder();
  await configure({
    reset: true,
    sinks: { lines: (record: LogRecord) => writeAll(encoder.encode(format(record))) },
    loggers: [
      { category: "sotto", lowestLevel: level, sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["lines"] },
    ],
  });
  return getLogger(["sotto", "server"]);
}

function writeAll(bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength;) done += Deno.stderr.writeSync(bytes.subarray(done));
}

import type { ServerBackend } from "../../circuits/backend.ts";

/** Makes every lookup of a training step wait first, so that a process can be killed, or a run paused, between two steps. */
export function slowTraining({ training }: ServerBackend, milliseconds: number): void {
  const lookup = training.lookup.bind(training);
  training.lookup = async (...call) => {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return await lookup(...call);
  };
}

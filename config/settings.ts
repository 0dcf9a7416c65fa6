/**
 * Every setting of the server, once: `readConfig`, `sotto config` and docs/configuration.md are made from this table. A new setting is
 * one line in `process_settings.ts` or `work_settings.ts`. Sizes are bytes.
 */
import { kernels, observation, server, storage } from "./process_settings.ts";
import { computing, files, fineTuning, jobs, limits, training } from "./work_settings.ts";

/** The settings by section, in the order of docs/configuration.md. */
export const SECTIONS = {
  "Server": server,
  "Database and storage": storage,
  "Kernels": kernels,
  "Files": files,
  "Computing": computing,
  "Limits and audit": limits,
  "Jobs": jobs,
  "Training": training,
  "Fine-tuning": fineTuning,
  "Observation": observation,
} as const;

/** The settings by the name of their value in `Config`. */
export const SETTINGS = Object.freeze({
  ...server,
  ...storage,
  ...kernels,
  ...files,
  ...computing,
  ...limits,
  ...jobs,
  ...training,
  ...fineTuning,
  ...observation,
});

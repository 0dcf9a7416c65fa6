/** What `sotto models` says of a model: its circuit, its cost, and for a network what encryption does to each layer. */
import Table from "cli-table3";
import { capabilitiesOf, type Description, type NetworkDescription } from "../circuits/description.ts";
import type { RegisteredModel } from "../client/mod.ts";

/** Lines for people. */
export function modelSummary(model: RegisteredModel): string {
  const { description } = model;
  const { plan } = description;
  const capabilities = capabilitiesOf(description);
  return [
    `model ${model.id}`,
    `  name:          ${model.name}`,
    `  source:        ${model.source.format} ${model.source.objective ?? ""}`.trimEnd(),
    `  circuit:       ${description.mode}, ${description.features.length} features, ${description.output.task}`,
    `  a row:         ${plan.server_ms_per_row.toFixed(2)} ms on one thread of the server, ` +
    `${Math.round(plan.upload_bytes_per_row)} bytes up, ${Math.round(plan.answer_bytes_per_row)} bytes down`,
    `  keys:          ${capabilities.length === 0 ? "none" : capabilities.join(", ")}`,
    `  ${reliability(description)}`,
    ...(description.mode === "network" ? [lookups(description), layerTable(description)] : []),
    "",
  ].join("\n");
}

/** One phrase on how much answers can be trusted: exact circuits fail with a probability, networks approximate. */
export function reliability(description: Description): string {
  if (description.mode !== "network") {
    return `wrong answer:  probability at most 2^${Math.ceil(description.plan.failure_log2)}`;
  }
  const { rows, simulated_agreement, simulated_error } = description.report;
  const error = `scores within ${percent(simulated_error)} of the float network's`;
  return simulated_agreement === null
    ? `accuracy:      ${error} (simulated on ${rows} calibration rows)`
    : `accuracy:      ${percent(simulated_agreement)} of labels as the float network's, ${error} ` +
      `(simulated on ${rows} calibration rows)`;
}

function lookups({ plan }: NetworkDescription): string {
  const memory = Math.ceil(plan.memory_bytes / 2 ** 20);
  return `  lookups:       ${plan.lookups_per_row} a row; ${plan.rows_together} rows run together in ${memory} MiB`;
}

function layerTable({ report }: NetworkDescription): string {
  const table = new Table({
    head: ["layer", "function", "setting", "lookups", "range", "int8 error", "simulated error", "out of range"],
    style: { head: [], border: [] },
  });
  for (const layer of report.layers) {
    table.push([
      layer.name,
      layer.activation ?? "-",
      layer.setting ?? "-",
      layer.lookups,
      layer.range.toPrecision(3),
      percent(layer.integer_error),
      percent(layer.simulated_error),
      percent(layer.out_of_range),
    ]);
  }
  return table.toString();
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** The networks that the network suite measures, with rows that they were not trained on. */
import { readRows } from "../client/mod.ts";
import { SottoError } from "../errors.ts";
import { readCalibration } from "../models/calibration.ts";
import { importNetwork, type NetworkModel } from "../models/network/mod.ts";

/** A network and where its files are. */
export interface NetworkEntry {
  /** As in the names of results: "mlp-wdbc". */
  readonly name: string;
  /** `stem.onnx`, `stem_calibration.csv`, `stem_rows.csv`, `stem_labels.csv`. */
  readonly stem: URL;
  /** How many threads its time is measured with. */
  readonly threads: "one" | "all";
  /** Rows that are encrypted: of a full run, and with `--quick`. */
  readonly rows: { readonly full: number; readonly quick: number };
  /** The same kind of network in `bench/peers/concrete_ml`, the one for ratios first. */
  readonly peers: readonly string[];
}

/** A network in memory; `labels[i]` is the true label of `rows[i]`. */
export interface LoadedNetwork {
  readonly model: NetworkModel;
  readonly calibration: readonly (readonly number[])[];
  readonly rows: readonly Float64Array[];
  readonly labels: readonly number[];
}

const SMALL = new URL("../tests/fixtures/networks/", import.meta.url);
const LARGE = new URL("../build/fixtures/networks/", import.meta.url);

/** Networks by their names, the fastest first. */
export const NETWORKS: readonly NetworkEntry[] = [
  {
    name: "mlp-wdbc",
    stem: new URL("mlp_wdbc_torch", SMALL),
    threads: "one",
    rows: { full: Infinity, quick: 16 },
    peers: ["nn-wdbc-3bit", "nn-wdbc-4bit"],
  },
  {
    name: "mlp-digits",
    stem: new URL("mlp_digits", SMALL),
    threads: "one",
    rows: { full: Infinity, quick: 16 },
    peers: ["nn-digits-3bit"],
  },
  {
    name: "mlp-mnist",
    stem: new URL("mlp_mnist", LARGE),
    threads: "all",
    rows: { full: 20, quick: 2 },
    peers: [],
  },
  { name: "cnn-mnist", stem: new URL("cnn_mnist", LARGE), threads: "all", rows: { full: 4, quick: 1 }, peers: [] },
];

/** How the files of large networks are made, for messages. */
export const MAKE_NETWORKS = "python tools/fixtures/networks.py --all (see tests/fixtures/networks/README.md)";

/** Whether the files of a network are there: large ones are not in the repository. */
export async function isPresent({ stem }: NetworkEntry): Promise<boolean> {
  return await Deno.stat(`${stem.pathname}.onnx`).then(() => true, () => false);
}

/**
 * Imports a network and reads its rows.
 * @throws SottoError `file_unreadable`, `rows_refused` when rows and labels do not match, and what importing throws
 */
export async function loadNetwork({ stem }: NetworkEntry): Promise<LoadedNetwork> {
  const model = importNetwork(await readPart(stem, ".onnx"));
  const calibration = readCalibration(await readPart(stem, "_calibration.csv"));
  const rows = readRows(await readPart(stem, "_rows.csv"), model.features);
  const label = { name: "label", missing: "refused" } as const;
  const labels = readRows(await readPart(stem, "_labels.csv"), [label]).map(([value]) => value);
  if (rows.length !== labels.length) {
    throw new SottoError(
      "rows_refused",
      `${stem.pathname}: ${rows.length} rows and ${labels.length} labels; make the files again: ${MAKE_NETWORKS}`,
    );
  }
  return { model, calibration, rows, labels };
}

async function readPart(stem: URL, ending: string): Promise<Uint8Array> {
  const path = `${stem.pathname}${ending}`;
  return await Deno.readFile(path).catch((cause) => {
    throw new SottoError("file_unreadable", `${path} cannot be read: make it again with ${MAKE_NETWORKS}`, { cause });
  });
}

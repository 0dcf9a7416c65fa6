/** Named tensors of weights that lie in files and are read in parts. */
import { refuseFile, refuseModel } from "../refuse.ts";
import type { ElementType } from "./element_types.ts";
import type { FileBytes } from "./file_bytes.ts";
import { ELEMENTS_MAX, WINDOW_BYTES } from "./limits.ts";

/** Tensors by name. Shapes are row-major, outermost dimension first: a linear layer is [outputs, inputs]. */
export interface TensorSource extends Disposable {
  readonly names: readonly string[];
  has(name: string): boolean;
  /** @throws SottoError `model_refused` when there is no such tensor; so do the others */
  shape(name: string): readonly number[];
  /** The element type in the file, such as "BF16" or "Q4_1". */
  type(name: string): string;
  /** All elements in single precision. */
  read(name: string): Promise<Float32Array>;
  /** Rows `first` to `first + count - 1` of a matrix, `count` x columns elements. A vector is one row. */
  rows(name: string, first: number, count: number): Promise<Float32Array>;
}

/** Where a tensor lies. `type` is a text for element types that are not read: only reading such a tensor is refused. */
export interface TensorEntry {
  readonly file: FileBytes;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly type: ElementType | string;
}

/** The number of elements of a shape; not a safe integer when that is beyond all limits. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Tensors that lie in open files as `entries` say. Closing it closes the files. */
export class FileTensors implements TensorSource {
  constructor(
    private readonly entries: ReadonlyMap<string, TensorEntry>,
    private readonly files: readonly FileBytes[],
  ) {}

  get names(): readonly string[] {
    return [...this.entries.keys()];
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  shape(name: string): readonly number[] {
    return this.#entry(name).shape;
  }

  type(name: string): string {
    const { type } = this.#entry(name);
    return typeof type === "string" ? type : type.name;
  }

  async read(name: string): Promise<Float32Array> {
    return await this.#decode(name, 0, elementCount(this.#entry(name).shape));
  }

  async rows(name: string, first: number, count: number): Promise<Float32Array> {
    const { shape } = this.#entry(name);
    const columns = shape.at(-1) ?? 1;
    const rows = elementCount(shape.slice(0, -1));
    if (!(first >= 0 && count >= 0 && first + count <= rows)) {
      refuseModel(`${name} has ${rows} rows, not rows ${first} to ${first + count - 1}.`);
    }
    return await this.#decode(name, first * columns, count * columns);
  }

  /** Decodes elements `first` to `first + count - 1`, which begin and end at blocks, a window at a time. */
  async #decode(name: string, first: number, count: number): Promise<Float32Array> {
    const { file, offset, type } = this.#entry(name);
    if (typeof type === "string") return refuseModel(`${name} has the element type ${type}, which is not read.`);
    if (!(count <= ELEMENTS_MAX)) {
      refuseModel(`${name}: ${count} elements at once are more than ${ELEMENTS_MAX}; read fewer rows.`);
    }
    if (first % type.elements || count % type.elements) {
      refuseModel(`${name} has rows that end inside a block of ${type.name}; save it in another type.`);
    }
    const out = new Float32Array(count);
    const window = Math.floor(WINDOW_BYTES / type.bytes) * type.elements;
    for (let done = 0; done < count; done += window) {
      const part = Math.min(window, count - done);
      const start = offset + (first + done) / type.elements * type.bytes;
      const bytes = await file.read(start, part / type.elements * type.bytes);
      type.decode(new DataView(bytes.buffer), out.subarray(done, done + part));
    }
    return out;
  }

  #entry(name: string): TensorEntry {
    return this.entries.get(name) ??
      refuseModel(`The model has no tensor ${name}; it is not whole, or of another kind.`);
  }

  [Symbol.dispose](): void {
    for (const file of this.files) file.close();
  }
}

/** Checks that a tensor of `type` and `shape` fits at `offset` of a file whose data end at `end`. */
export function checkExtent(name: string, type: ElementType, shape: readonly number[], offset: number, end: number) {
  const elements = elementCount(shape);
  if (!Number.isSafeInteger(elements) || elements % type.elements || (shape.at(-1) ?? 1) % type.elements) {
    refuseFile(`${name} has the shape [${shape.join(", ")}], which does not suit the type ${type.name}.`);
  }
  const bytes = elements / type.elements * type.bytes;
  if (!(offset + bytes <= end)) refuseFile(`${name} lies beyond the end of the file; fetch the file again.`);
  return bytes;
}

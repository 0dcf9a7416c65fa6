/** The float port as plain loops: the definition that tests compare with, in single or double precision. */
import type {
  AttentionInputs,
  AttentionOutput,
  AttentionShape,
  Factor,
  FloatKernels,
  FloatProduct,
  Floats,
} from "./float_kernels.ts";

/** One head of one sequence: where its rows lie. */
interface Head {
  readonly head: number;
  readonly query: { first: number; count: number; offset: number; stride: number };
  readonly key: { first: number; count: number; offset: number; stride: number };
}

export class PlainFloat implements FloatKernels {
  readonly name: string;
  constructor(readonly bits: 32 | 64 = 32) {
    this.name = `plain${bits}`;
  }

  zeros(count: number): Floats {
    return this.bits === 32 ? new Float32Array(count) : new Float64Array(count);
  }

  gemm({ rows, columns, depth, left, right, out, alpha = 1, beta = 0 }: FloatProduct): Promise<void> {
    const [a, b] = [steps(left), steps(right)];
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let k = 0; k < depth; k++) {
          sum += left.data[i * a.row + k * a.column] * right.data[k * b.row + j * b.column];
        }
        const at = i * columns + j;
        out[at] = alpha * sum + (beta === 0 ? 0 : beta * out[at]);
      }
    }
    return Promise.resolve();
  }

  attention(shape: AttentionShape, inputs: AttentionInputs): Promise<AttentionOutput> {
    const out = this.zeros(inputs.query.length);
    const logSums = this.zeros(inputs.query.length / shape.headSize);
    for (const head of headsOf(shape)) {
      for (let i = 0; i < head.query.count; i++) {
        const { weights, logSum } = softmax(scores(shape, inputs, head, i));
        logSums[(head.query.first + i) * shape.heads + head.head] = logSum;
        const to = row(head.query, i);
        weights.forEach((p, j) => addScaled(out, to, inputs.value, row(head.key, j), p, shape.headSize));
      }
    }
    return Promise.resolve({ out, logSums });
  }

  attentionGradient(
    shape: AttentionShape,
    inputs: AttentionInputs,
    output: AttentionOutput,
    outGradient: Floats,
  ): Promise<AttentionInputs> {
    const [query, key] = [this.zeros(inputs.query.length), this.zeros(inputs.key.length)];
    const gradients = { query, key, value: this.zeros(inputs.value.length) };
    for (const head of headsOf(shape)) {
      for (let i = 0; i < head.query.count; i++) queryGradient(shape, inputs, output, outGradient, head, i, gradients);
    }
    return Promise.resolve(gradients);
  }

  crossEntropy(
    logits: Floats,
    labels: Int32Array,
    vocabulary: number,
    gradientScale?: number,
  ): Promise<Float64Array> {
    const losses = Float64Array.from(labels, (label, token) => {
      const row = logits.subarray(token * vocabulary, (token + 1) * vocabulary);
      const { weights, logSum } = softmax(row);
      const loss = label < 0 ? 0 : logSum - row[label];
      if (gradientScale === undefined) return loss;
      if (label < 0) row.fill(0);
      else for (let j = 0; j < vocabulary; j++) row[j] = gradientScale * (weights[j] - (j === label ? 1 : 0));
      return loss;
    });
    return Promise.resolve(losses);
  }

  swiglu(gate: Floats, up: Floats): Promise<Floats> {
    const out = this.zeros(gate.length);
    for (let i = 0; i < out.length; i++) out[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
    return Promise.resolve(out);
  }

  /** silu'(z) = s (1 + z (1 - s)) with s = 1 / (1 + exp(-z)). */
  swigluGradient(outGradient: Floats, gate: Floats, up: Floats): Promise<[gate: Floats, up: Floats]> {
    const gradients: [Floats, Floats] = [this.zeros(gate.length), this.zeros(gate.length)];
    for (let i = 0; i < gate.length; i++) {
      const sigmoid = 1 / (1 + Math.exp(-gate[i]));
      gradients[0][i] = outGradient[i] * up[i] * sigmoid * (1 + gate[i] * (1 - sigmoid));
      gradients[1][i] = outGradient[i] * gate[i] * sigmoid;
    }
    return Promise.resolve(gradients);
  }
}

/** How far the next row and the next column of a factor lie. */
function steps({ columns, transposed }: Factor): { row: number; column: number } {
  return transposed ? { row: 1, column: columns } : { row: columns, column: 1 };
}

function* headsOf(shape: AttentionShape): Generator<Head> {
  const [queryStride, keyStride] = [shape.heads * shape.headSize, shape.kvHeads * shape.headSize];
  for (let s = 0; s + 1 < shape.queryStarts.length; s++) {
    for (let head = 0; head < shape.heads; head++) {
      const keyHead = Math.floor(head * shape.kvHeads / shape.heads);
      const [first, keyFirst] = [shape.queryStarts[s], shape.keyStarts[s]];
      const [count, keyCount] = [shape.queryStarts[s + 1] - first, shape.keyStarts[s + 1] - keyFirst];
      yield {
        head,
        query: { first, count, offset: head * shape.headSize, stride: queryStride },
        key: { first: keyFirst, count: keyCount, offset: keyHead * shape.headSize, stride: keyStride },
      };
    }
  }
}

/** Index of the first float of a head's row. */
function row(rows: Head["query"], i: number): number {
  return (rows.first + i) * rows.stride + rows.offset;
}

/** Scores of query i of a head with the keys it sees. */
function scores(shape: AttentionShape, inputs: AttentionInputs, head: Head, i: number): Float64Array {
  const seen = head.key.count - head.query.count + i + 1;
  const from = row(head.query, i);
  return new Float64Array(seen).map((_, j) =>
    dot(inputs.query, from, inputs.key, row(head.key, j), shape.headSize) / Math.sqrt(shape.headSize)
  );
}

function queryGradient(
  shape: AttentionShape,
  inputs: AttentionInputs,
  output: AttentionOutput,
  outGradient: Floats,
  head: Head,
  i: number,
  gradients: AttentionInputs,
): void {
  const size = shape.headSize;
  const at = row(head.query, i);
  const mean = dot(outGradient, at, output.out, at, size);
  const { weights } = softmax(scores(shape, inputs, head, i));
  weights.forEach((p, j) => {
    const keyAt = row(head.key, j);
    const scoreGradient = p * (dot(outGradient, at, inputs.value, keyAt, size) - mean) / Math.sqrt(size);
    addScaled(gradients.query, at, inputs.key, keyAt, scoreGradient, size);
    addScaled(gradients.key, keyAt, inputs.query, at, scoreGradient, size);
    addScaled(gradients.value, keyAt, outGradient, at, p, size);
  });
}

function softmax(values: Floats): { weights: Float64Array; logSum: number } {
  let most = -Infinity;
  for (const value of values) most = Math.max(most, value);
  const weights = Float64Array.from(values, (value) => Math.exp(value - most));
  const sum = weights.reduce((a, b) => a + b, 0);
  return { weights: weights.map((value) => value / sum), logSum: most + Math.log(sum) };
}

function dot(x: Floats, xAt: number, y: Floats, yAt: number, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += x[xAt + i] * y[yAt + i];
  return sum;
}

function addScaled(to: Floats, toAt: number, from: Floats, fromAt: number, factor: number, count: number): void {
  for (let i = 0; i < count; i++) to[toAt + i] += factor * from[fromAt + i];
}

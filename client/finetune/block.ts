/** Several texts packed into one block of tokens, each seeing only itself. */
import { SottoError } from "../../errors.ts";

/** Labels below zero are ignored by the loss. */
export const IGNORED_LABEL = -100;

/** One text as token numbers. */
export interface TokenSequence {
  readonly tokens: ArrayLike<number>;
  /** The first tokens that are read but not learned, such as a question; default 0. */
  readonly promptLength?: number;
}

export interface TokenBlock {
  readonly tokens: Uint32Array;
  /** The token that should follow each token, or `IGNORED_LABEL`. */
  readonly labels: Int32Array;
  /** Sequence i is tokens starts[i] up to starts[i + 1]; attention does not cross (a block-diagonal mask). */
  readonly starts: Uint32Array;
  /** Of each token within its sequence. */
  readonly positions: Uint32Array;
}

/** Packs sequences one after another, in order. */
export function packBlock(sequences: readonly TokenSequence[]): TokenBlock {
  const starts = new Uint32Array(sequences.length + 1);
  sequences.forEach(({ tokens }, i) => starts[i + 1] = starts[i] + tokens.length);
  const total = starts[sequences.length];
  const labels = new Int32Array(total).fill(IGNORED_LABEL);
  const [tokens, positions] = [new Uint32Array(total), new Uint32Array(total)];
  sequences.forEach((sequence, s) => {
    for (let i = 0; i < sequence.tokens.length; i++) {
      const at = starts[s] + i;
      [tokens[at], positions[at]] = [sequence.tokens[i], i];
      const learned = i + 1 < sequence.tokens.length && i + 1 >= (sequence.promptLength ?? 0);
      if (learned) labels[at] = sequence.tokens[i + 1];
    }
  });
  return { tokens, labels, starts, positions };
}

/**
 * Blocks of at most `capacity` tokens. Texts are kept in order and whole where they fit into a block; longer ones are cut into pieces of `capacity`.
 * Pieces of one token, which teach nothing, are left out.
 */
export function packBlocks(sequences: Iterable<TokenSequence>, capacity: number): TokenBlock[] {
  if (!Number.isInteger(capacity) || capacity < 2) {
    throw new SottoError(
      "configuration_invalid",
      `a block of ${capacity} tokens cannot be learned from: use 2 or more`,
    );
  }
  const blocks: TokenBlock[] = [];
  let open: TokenSequence[] = [];
  let used = 0;
  const close = () => {
    if (open.length) blocks.push(packBlock(open));
    [open, used] = [[], 0];
  };
  for (const sequence of sequences) {
    for (const piece of pieces(sequence, capacity)) {
      if (used + piece.tokens.length > capacity) close();
      open.push(piece);
      used += piece.tokens.length;
    }
  }
  close();
  return blocks;
}

/** Number of labels that the loss counts. */
export function labelCount(block: TokenBlock): number {
  return block.labels.reduce((count, label) => count + (label >= 0 ? 1 : 0), 0);
}

function* pieces(sequence: TokenSequence, capacity: number): Generator<TokenSequence> {
  const prompt = sequence.promptLength ?? 0;
  for (let from = 0; from < sequence.tokens.length; from += capacity) {
    const tokens = Array.from(sequence.tokens).slice(from, from + capacity);
    if (tokens.length > 1) yield { tokens, promptLength: Math.max(0, prompt - from) };
  }
}

/** Texts to tokens and back: byte-level BPE, run by the tokenizers library of Hugging Face. */
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { SottoError } from "../../errors.ts";
import { decoding, refuseFile } from "../refuse.ts";

/** Tokens with a meaning beside their text; absent when the model has none. */
export interface SpecialTokens {
  /** Begins a text. */
  readonly begin?: number;
  /** Ends a text. */
  readonly end?: number;
}

/** A tokenizer in the form of a tokenizer.json. */
export type TokenizerJson = Readonly<Record<string, unknown>>;

/** A model's tokenizer. */
export class Tokenizer {
  readonly #library: Library;
  /** One more than the largest number of a token. */
  readonly vocabulary: number;

  /** @throws SottoError `malformed_file` for a description that the library refuses */
  constructor(readonly description: TokenizerJson, readonly special: SpecialTokens) {
    this.#library = decoding("a tokenizer", () => new Library(description, { clean_up_tokenization_spaces: false }));
    let vocabulary = 0;
    for (const token of this.#library.get_vocab().values()) vocabulary = Math.max(vocabulary, token + 1);
    this.vocabulary = vocabulary;
  }

  /**
   * The tokens of a text. Texts of special tokens ("<|im_end|>") become those tokens; bytes that the vocabulary lacks are
   * left out, as in the model's own tokenizer.
   * @param marks false leaves out the beginning and end that the model's own tokenizer puts around every text
   */
  encode(text: string, marks = true): number[] {
    const { ids } = this.#library.encode(text, { add_special_tokens: marks });
    if (ids.some((id) => !Number.isInteger(id))) {
      refuseFile("The tokenizer puts tokens around texts that its vocabulary lacks; fetch the tokenizer again.");
    }
    return ids;
  }

  /**
   * The text of tokens. Bytes that are no UTF-8 become U+FFFD.
   * @param marks false leaves out special tokens
   * @throws SottoError `rows_refused` for a number that is no token
   */
  decode(tokens: readonly number[], marks = true): string {
    const wrong = tokens.find((token) => this.#library.id_to_token(token) === undefined);
    if (wrong !== undefined) throw new SottoError("rows_refused", `${wrong} is no token of this model.`);
    if (tokens.length === 0) return "";
    return this.#library.decode([...tokens], { skip_special_tokens: !marks });
  }

  /** The number of a token by its text in the vocabulary, such as "<|im_end|>". */
  token(text: string): number | undefined {
    return this.#library.token_to_id(text);
  }
}

import { PlainTokens } from "./plain_tokens.ts";
import { tokensSuite } from "./tokens_suite.ts";

tokensSuite("plain", () => ({ tokens: new PlainTokens(), close: () => {} }));

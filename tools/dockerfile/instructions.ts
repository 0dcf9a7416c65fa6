/** A Dockerfile as stages of steps, with the instructions that this project's file uses. */
import { type Copy, DockerfileParser, type From, type Instruction, type JSONInstruction } from "dockerfile-ast";

/** One step of a stage. */
export type Step =
  | { readonly kind: "run"; readonly script: string }
  | {
    readonly kind: "copy";
    readonly from?: string;
    readonly owner?: string;
    readonly paths: string[];
    readonly to: string;
  }
  | { readonly kind: "env"; readonly values: Record<string, string> }
  | { readonly kind: "workdir" | "user" | "volume" | "expose"; readonly value: string }
  | { readonly kind: "entrypoint" | "cmd" | "healthcheck"; readonly command: string[] };

/** From one FROM to the next. */
export interface Stage {
  readonly name: string;
  readonly image: string;
  readonly steps: Step[];
}

/** Instructions without an effect on what is built. */
const SILENT = ["LABEL", "STOPSIGNAL"];

/** Reads a Dockerfile. Throws when it uses an instruction that `check_dockerfile.ts` cannot carry out. */
export function readDockerfile(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === "FROM") {
      const from = instruction as From;
      stages.push({ name: from.getBuildStage() ?? String(stages.length), image: from.getImage() ?? "", steps: [] });
    } else if (!SILENT.includes(keyword)) stages.at(-1)?.steps.push(stepOf(instruction, keyword));
  }
  return stages;
}

function stepOf(instruction: Instruction, keyword: string): Step {
  const words = instruction.getArguments().map((argument) => argument.getValue());
  switch (keyword) {
    case "RUN":
      return { kind: "run", script: instruction.getRawArgumentsContent() ?? "" };
    case "COPY":
      return copyOf(instruction as Copy, words);
    case "ENV":
      return { kind: "env", values: Object.fromEntries(words.map((word) => word.split(/=(.*)/s).slice(0, 2))) };
    case "WORKDIR":
    case "USER":
    case "VOLUME":
    case "EXPOSE":
      return { kind: keyword.toLowerCase() as "workdir", value: words[0] };
    case "ENTRYPOINT":
    case "CMD":
      return { kind: keyword.toLowerCase() as "cmd", command: listOf(instruction as JSONInstruction) };
    case "HEALTHCHECK":
      return { kind: "healthcheck", command: JSON.parse(/CMD\s+(\[.*\])/s.exec(instruction.getTextContent())![1]) };
    default:
      throw new Error(`the Dockerfile's instruction ${keyword} is not carried out here: add it to tools/dockerfile`);
  }
}

function copyOf(copy: Copy, words: string[]): Step {
  const flag = (name: string) => copy.getFlags().find((one) => one.getName() === name)?.getValue() ?? undefined;
  const paths = words.filter((word) => !word.startsWith("--"));
  return { kind: "copy", from: flag("from"), owner: flag("chown"), paths: paths.slice(0, -1), to: paths.at(-1)! };
}

function listOf(instruction: JSONInstruction): string[] {
  return instruction.getJSONStrings().map((text) => JSON.parse(text.getValue()));
}

/**
 * A Java client by openapi-generator, compiled by Maven and called against a live server. Not part of continuous integration: it needs a
 * JDK and Maven, and takes minutes the first time.
 *
 *     deno run -A tests/clients/java.ts
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { accessOf } from "./generate.ts";
import { withKnownThings } from "./known_things.ts";
import { OPENAPI_FILE } from "./openapi_file.ts";
import { runQuietly } from "./python_tools.ts";

const VERSION = "7.20.0";
const smoke = fileURLToPath(new URL("smoke/SmokeTest.java", import.meta.url));

/** Maven fetches the generator once. */
async function generator(): Promise<string> {
  const artifact = `org.openapitools:openapi-generator-cli:${VERSION}`;
  await runQuietly("mvn", ["-q", "-B", "dependency:get", `-Dartifact=${artifact}`, "-Dtransitive=false"]);
  const folder = `.m2/repository/org/openapitools/openapi-generator-cli/${VERSION}`;
  return join(Deno.env.get("HOME") ?? "", folder, `openapi-generator-cli-${VERSION}.jar`);
}

/** Generates and compiles into `folder`; returns the class path. */
async function compile(folder: string): Promise<string> {
  const names =
    "invokerPackage=sotto,apiPackage=sotto.api,modelPackage=sotto.model,groupId=sotto,artifactId=sotto-client";
  const how = ["generate", "-g", "java", "--library", "okhttp-gson", `--additional-properties=${names}`];
  // The form of an import has a class of its own, which the generator leaves out and yet names.
  how.push("--global-property", "skipFormModel=false");
  await runQuietly("java", ["-jar", await generator(), ...how, "-i", OPENAPI_FILE, "-o", folder]);
  const maven = ["-q", "-B", "-DskipTests", "-Dmaven.javadoc.skip=true"];
  await runQuietly("mvn", [...maven, "package", "dependency:copy-dependencies"], { cwd: folder });
  return `${folder}/target/classes:${folder}/target/dependency/*`;
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "sotto-java-" });
  const classes = await compile(folder);
  await withKnownThings(async (things) => {
    console.log((await runQuietly("java", ["-cp", classes, smoke], { env: accessOf(things) })).trim());
  });
  await Deno.remove(folder, { recursive: true });
}

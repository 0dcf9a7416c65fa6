/** Examples put together from the examples of the parts of a schema. */

/** The members of a JSON Schema that examples need. */
export interface Schema {
  readonly $ref?: string;
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** Components of an OpenAPI document by their name. */
export type Schemas = Readonly<Record<string, Schema>>;

const REFERENCE = "#/components/schemas/";

/** The example of a schema, or one that its parts' examples give; undefined when a part has none. */
export function exampleOf(schema: Schema, schemas: Schemas): unknown {
  if (schema.example !== undefined) return schema.example;
  const value = schema.examples?.[0] ?? schema.default ?? schema.const ?? schema.enum?.[0];
  if (value !== undefined) return value;
  if (schema.$ref?.startsWith(REFERENCE)) return exampleOf(schemas[schema.$ref.slice(REFERENCE.length)], schemas);
  if (schema.allOf !== undefined) return merged(schema.allOf.map((part) => exampleOf(part, schemas)));
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (choice !== undefined) return exampleOf(choice, schemas);
  if (schema.properties !== undefined) return exampleObject(schema.properties, schemas);
  if (schema.items === undefined) return undefined;
  const item = exampleOf(schema.items, schemas);
  return item === undefined ? undefined : [item];
}

function exampleObject(properties: Readonly<Record<string, Schema>>, schemas: Schemas): unknown {
  const entries = Object.entries(properties).map(([name, schema]) => [name, exampleOf(schema, schemas)] as const);
  return entries.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(entries);
}

function merged(parts: readonly unknown[]): unknown {
  return parts.includes(undefined) ? undefined : Object.assign({}, ...parts as object[]);
}

/** A JSON Schema or a part of one, as far as the pages read it. */
export interface Json {
  $ref?: string;
  $defs?: Record<string, Json>;
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Json[];
  allOf?: Json[];
  items?: Json;
  properties?: Record<string, Json>;
  additionalProperties?: Json | boolean;
  required?: string[];
  minimum?: number;
  maximum?: number;
  [key: string]: unknown;
}

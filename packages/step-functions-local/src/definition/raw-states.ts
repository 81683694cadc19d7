import { isObject } from 'local-server-kit';

/** A state as it was written, whether or not it fits the schema: the further checks look at all of them. */
export interface RawState {
  readonly name: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function rawStates(definition: unknown): readonly RawState[] {
  if (!isObject(definition) || !isObject(definition['States'])) return [];
  return Object.entries(definition['States']).flatMap(([name, fields]) =>
    isObject(fields) ? [{ name, path: `/States/${name}`, fields }] : [],
  );
}

/** The objects of an array field, like Choices or Catch, each with its path. */
export function rawItems(
  state: RawState,
  field: string,
): readonly { readonly path: string; readonly fields: Readonly<Record<string, unknown>> }[] {
  const items = state.fields[field];
  if (!Array.isArray(items)) return [];
  return items.flatMap((fields: unknown, index) =>
    isObject(fields) ? [{ path: `${state.path}/${field}/${index}`, fields }] : [],
  );
}

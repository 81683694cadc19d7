import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { itemKindOf } from '../../functions/shared/contracts/table-keys.ts';
import type { SdkCall } from '../../local/simulation/hooks.ts';
import { declarationsOf, ROOT, SENDERS, sends } from './sources.ts';

/** A call that a function makes, by what in its code makes it. */
export interface CallPoint {
  readonly functionKey: string;
  /** `caller › sender`: the two innermost declarations of `functions/`, apart from the helpers that only pass on. */
  readonly way: string;
  readonly command: string;
  /** The kind of item, for a call to the table. */
  readonly item: string;
}

export function nameOf({ functionKey, way, command, item }: CallPoint): string {
  return `${functionKey}: ${way}: ${sentOf(command, item)}`;
}

/** Whether the call may be at the point, by all but its way. */
export function mayBeAt(name: string, functionKey: string, { command, input }: SdkCall): boolean {
  return name.startsWith(`${functionKey}: `) && name.endsWith(`: ${sentOf(command, itemNameOf(input))}`);
}

function sentOf(command: string, item: string): string {
  return `${command.replace(/Command$/, '')}${item === '' ? '' : ` ${item}`}`;
}

/** They take the call as an argument; whoever gives it to them is the caller. */
const PASSING_ON = new Set([
  'attempt',
  'callDependency',
  'withTimeout',
  'callService',
  'passThrough',
  'inParallel',
]);

/** To be called by what sends the call, at once: it is in the stack. */
export function callPoint(functionKey: string, { command, input }: SdkCall): CallPoint {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 60;
  const stack = new Error('Where from').stack ?? '';
  Error.stackTraceLimit = stackTraceLimit;
  const frames = stack.split('\n').flatMap(declarationAt);
  const [sender, ...others] = frames.slice(frames.findIndex(sends));
  const caller = others.find(({ name }) => name !== sender?.name && !PASSING_ON.has(name));
  return {
    functionKey,
    way: `${caller?.name ?? '?'} › ${sender?.name ?? '?'}`,
    command,
    item: itemNameOf(input),
  };
}

function declarationAt(frame: string) {
  const [, place = '', line = ''] = /\(?((?:file:\/\/)?\/[^():]+):(\d+):\d+\)?$/.exec(frame) ?? [];
  const file = relative(ROOT, place.startsWith('file:') ? fileURLToPath(place) : place);
  if (!file.startsWith('functions/') || SENDERS.has(file)) return [];
  const declaration = declarationsOf(file).findLast(({ fromLine }) => fromLine <= Number(line));
  return declaration === undefined ? [] : [declaration];
}

const keySchema = z.object({ pk: z.string(), sk: z.string() });
const keyedSchema = z.union([
  z.object({ Key: keySchema }).transform(({ Key }) => Key),
  z.object({ Item: keySchema }).transform(({ Item }) => Item),
]);

/** What the item is, whichever session it is of: a permit's operation, else the sort key without its number. */
function itemNameOf(input: unknown): string {
  const keyed = keyedSchema.safeParse(input);
  if (!keyed.success) return '';
  const { pk, sk } = keyed.data;
  return sk === 'permit' ? pk : itemKindOf({ sk });
}

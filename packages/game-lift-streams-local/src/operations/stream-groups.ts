import { applicationArn, streamGroupIdIn } from '../protocol/identifiers.ts';
import { toTimestamp } from '../protocol/protocol.ts';
import { accessDenied, conflict, resourceNotFound, validation } from '../protocol/service-error.ts';
import {
  checkTagCount,
  createStreamGroupInput,
  listMembers,
  listStreamGroupsInput,
  listTagsInput,
  parseInput,
  streamGroupInput,
  tagInput,
  untagInput,
} from '../protocol/validation.ts';
import { fingerprintOf, sha256 } from '../sessions/idempotency.ts';
import { randomAlphanumeric } from '../sessions/randomness.ts';
import type { StreamGroupRecord } from '../sessions/stream-group.ts';
import type { World } from '../sessions/world.ts';
import { pageAfter, pageToken } from './listing.ts';
import type { OperationContext, OperationResult } from './operations.ts';

/** MaxResults when the call has none (SDK documentation). */
const DEFAULT_PAGE_SIZE = 25;

export function createStreamGroup({ world, members }: OperationContext): OperationResult {
  const nowMs = world.settle();
  const { ClientToken: token, ...parameters } = parseInput(createStreamGroupInput, members());
  const fingerprint = fingerprintOf(parameters);
  const earlier = world.groupTokens.find(token, fingerprint, nowMs);
  if (earlier !== undefined) return { httpStatus: 201, body: earlier, isReplay: true };
  const { DefaultApplicationIdentifier: application, LocationConfigurations: locations } = parameters;
  const group = world.addStreamGroup(`sg-${randomAlphanumeric(world.random, 9)}`, {
    status: 'ACTIVATING',
    description: parameters.Description,
    streamClass: parameters.StreamClass,
    location: locations?.[0]?.LocationName ?? world.account.region,
    tags: parameters.Tags ?? {},
    ...(application === undefined ? {} : { applicationArn: applicationArn(world.account, application) }),
  });
  const body = describeGroup(group, world);
  world.groupTokens.remember(token, fingerprint, nowMs, body);
  return { httpStatus: 201, body };
}

export function getStreamGroup({ world, call }: OperationContext): OperationResult {
  world.settle();
  const { Identifier } = parseInput(streamGroupInput, call.labels);
  return { httpStatus: 200, body: describeGroup(findStreamGroup(world, Identifier), world) };
}

export function deleteStreamGroup({ world, call }: OperationContext): OperationResult {
  const nowMs = world.settle();
  const group = findStreamGroup(world, parseInput(streamGroupInput, call.labels).Identifier);
  if (group.status === 'ACTIVATING' || group.status === 'UPDATING_LOCATIONS') {
    throw conflict(`The stream group cannot be deleted while its status is ${group.status}.`);
  }
  if (group.status !== 'DELETING') {
    world.changeStreamGroup(group, { status: 'DELETING', lastUpdatedAtMs: nowMs });
  }
  return { httpStatus: 204 };
}

/**
 * "In no particular order": by the hash of the id, so a page begins after the last group of the page before, whichever groups
 * have come and gone between the two.
 */
export function listStreamGroups({ world, call }: OperationContext): OperationResult {
  world.settle();
  const { NextToken, MaxResults = DEFAULT_PAGE_SIZE } = parseInput(
    listStreamGroupsInput,
    listMembers(call.query),
  );
  const query = fingerprintOf({ of: 'streamGroups' });
  const after = pageAfter(NextToken, query);
  const ordered = world
    .streamGroups()
    .map((group) => ({ group, place: sha256(group.streamGroupId) }))
    .filter(({ place }) => place > after)
    .sort((one, other) => (one.place < other.place ? -1 : 1));
  const page = ordered.slice(0, MaxResults);
  const last = page.at(-1);
  const isLastPage = last === undefined || page.length === ordered.length;
  return {
    httpStatus: 200,
    body: {
      Items: page.map(({ group }) => summarizeGroup(group, world)),
      ...(isLastPage ? {} : { NextToken: pageToken(last.place, query) }),
    },
  };
}

export function listTagsForResource({ world, call }: OperationContext): OperationResult {
  world.settle();
  const { ResourceArn } = parseInput(listTagsInput, call.labels);
  return { httpStatus: 200, body: { Tags: findTagged(world, ResourceArn).tags } };
}

export function tagResource({ world, call, members }: OperationContext): OperationResult {
  world.settle();
  const { ResourceArn, Tags } = parseInput(tagInput, { ...members(), ...call.labels });
  const group = findTagged(world, ResourceArn);
  const tags = { ...group.tags, ...Tags };
  checkTagCount(tags);
  world.changeStreamGroup(group, { tags });
  return { httpStatus: 200, body: {} };
}

export function untagResource({ world, call }: OperationContext): OperationResult {
  world.settle();
  const TagKeys = call.query.getAll('tagKeys');
  const input = parseInput(untagInput, { ...call.labels, TagKeys });
  const group = findTagged(world, input.ResourceArn);
  const kept = Object.entries(group.tags).filter(([key]) => !input.TagKeys.includes(key));
  world.changeStreamGroup(group, { tags: Object.fromEntries(kept) });
  return { httpStatus: 200, body: {} };
}

/**
 * The group of a session operation.
 *
 * @throws ServiceError AccessDeniedException for a group without the tag that the setting `onlyTagged` asks for, and for one
 *   that is not there, which has no tags; else ResourceNotFoundException
 */
export function authorizedStreamGroup(world: World, identifier: string): StreamGroupRecord {
  const { onlyTagged } = world.settings;
  if (onlyTagged !== null) {
    const id = streamGroupIdIn(world.account, identifier);
    const group = id === undefined ? undefined : world.streamGroup(id);
    if (group?.tags[onlyTagged.key] !== onlyTagged.value) throw accessDenied();
  }
  return findStreamGroup(world, identifier);
}

function findStreamGroup(world: World, identifier: string): StreamGroupRecord {
  const streamGroupId = streamGroupIdIn(world.account, identifier);
  const group = streamGroupId === undefined ? undefined : world.streamGroup(streamGroupId);
  if (group === undefined) throw resourceNotFound('stream group');
  return group;
}

/** The tag operations have no ResourceNotFoundException in their model, so our reading is ValidationException. */
function findTagged(world: World, arn: string): StreamGroupRecord {
  const streamGroupId = streamGroupIdIn(world.account, arn);
  const group = streamGroupId === undefined ? undefined : world.streamGroup(streamGroupId);
  if (group === undefined) throw validation('The resource does not exist.');
  return group;
}

function summarizeGroup(group: StreamGroupRecord, { settings: { timestampUnit } }: World) {
  const { applicationArn: arn } = group;
  return {
    Arn: group.arn,
    Id: group.streamGroupId,
    Description: group.description,
    DefaultApplication: arn === undefined ? undefined : { Arn: arn, Id: arn.slice(arn.lastIndexOf('/') + 1) },
    StreamClass: group.streamClass,
    Status: group.status,
    CreatedAt: toTimestamp(group.createdAtMs, timestampUnit),
    LastUpdatedAt: toTimestamp(group.lastUpdatedAtMs, timestampUnit),
    ExpiresAt: toTimestamp(group.expiresAtMs, timestampUnit),
  };
}

function describeGroup(group: StreamGroupRecord, world: World) {
  const { applicationArn: arn } = group;
  return {
    ...summarizeGroup(group, world),
    LocationStates: [
      { LocationName: group.location, Status: group.status === 'ACTIVATING' ? 'ACTIVATING' : 'ACTIVE' },
    ],
    AssociatedApplications: arn === undefined ? [] : [arn],
  };
}

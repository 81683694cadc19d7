import { parseAt, ServiceDescriptionError } from './description-error.ts';
import { type IntrinsicScope, resolveIntrinsics, resolveText } from './intrinsics.ts';
import { intrinsicScope, type NamedParts } from './names.ts';
import type { ParsedResources } from './resources.ts';
import {
  eventBridgeEventSchema,
  httpEventSchema,
  type ParsedFunction,
  rateSchema,
  sqsEventSchema,
} from './schemas.ts';
import type { EventSource, Route, Rule, RuleTarget, Schedule, Service, ServiceFunction } from './service.ts';

/** What reaches the functions: their own `events`, and the rules among the resources. */
export function routesAndRules(
  parts: NamedParts,
  parsedFunctions: ReadonlyMap<string, ParsedFunction>,
  parsedRules: ParsedResources['rules'],
): Pick<Service, 'routes' | 'rules' | 'schedules' | 'eventSources'> {
  const scope = intrinsicScope(parts);
  const routes: Route[] = [];
  const rules: Rule[] = [];
  const schedules: Schedule[] = [];
  const eventSources: EventSource[] = [];
  for (const fn of parts.functions) {
    for (const [index, event] of (parsedFunctions.get(fn.key)?.events ?? []).entries()) {
      const path = `functions.${fn.key}.events.${index}`;
      const [[type, value] = ['', undefined], ...others] = Object.entries(event);
      if (others.length > 0) throw new ServiceDescriptionError(path, 'must have one event type');
      switch (type) {
        case 'http':
          routes.push(describeRoute(value, fn, `${path}.http`));
          break;
        case 'eventBridge':
          rules.push(describeFunctionRule(value, fn, index, parts, scope, `${path}.eventBridge`));
          break;
        case 'sqs':
          eventSources.push(describeEventSource(value, fn, parts, scope, `${path}.sqs`));
          break;
        case 'schedule':
          schedules.push(describeSchedule(value, fn, index, `${path}.schedule`));
          break;
        default:
          throw new ServiceDescriptionError(`${path}.${type}`, 'is an event that the stand-ins do not know');
      }
    }
  }
  for (const { logicalId, properties } of parsedRules) {
    const path = `resources.Resources.${logicalId}.Properties`;
    const { EventPattern, ScheduleExpression } = properties;
    const targets = properties.Targets.map(({ Arn, InputTransformer }, index): RuleTarget => {
      const target = targetOf(Arn, parts, scope, `${path}.Targets.${index}.Arn`);
      return InputTransformer === undefined
        ? target
        : { ...target, inputTemplate: InputTransformer.InputTemplate };
    });
    if (EventPattern !== undefined && ScheduleExpression === undefined) {
      rules.push({
        name: logicalId,
        busName: busNameOf(properties.EventBusName, parts, scope, `${path}.EventBusName`),
        pattern: resolvePattern(EventPattern, scope, `${path}.EventPattern`),
        targets,
      });
    } else if (ScheduleExpression !== undefined && EventPattern === undefined) {
      schedules.push(...targets.map((target) => scheduleOf(logicalId, ScheduleExpression, target, path)));
    } else {
      throw new ServiceDescriptionError(path, 'must have either an EventPattern or a ScheduleExpression');
    }
  }
  refuseDuplicates(routes);
  return { routes, rules, schedules, eventSources };
}

function describeRoute(value: unknown, fn: ServiceFunction, path: string): Route {
  const http = parseAt(httpEventSchema, value, path);
  return {
    method: http.method,
    path: `/${http.path}`,
    functionName: fn.name,
    authorizer: http.authorizer === undefined ? 'NONE' : 'AWS_IAM',
  };
}

function describeFunctionRule(
  value: unknown,
  fn: ServiceFunction,
  index: number,
  parts: NamedParts,
  scope: IntrinsicScope,
  path: string,
): Rule {
  const event = parseAt(eventBridgeEventSchema, value, path);
  return {
    name: `${fn.key}.${index}`,
    busName: busNameOf(event.eventBus, parts, scope, `${path}.eventBus`),
    pattern: resolvePattern(event.pattern, scope, `${path}.pattern`),
    targets: [functionTarget(fn)],
  };
}

function describeEventSource(
  value: unknown,
  fn: ServiceFunction,
  parts: NamedParts,
  scope: IntrinsicScope,
  path: string,
): EventSource {
  const event = parseAt(sqsEventSchema, value, path);
  const target = targetOf(event.arn, parts, scope, `${path}.arn`);
  if (target.type !== 'queue') throw new ServiceDescriptionError(`${path}.arn`, 'must be a queue');
  return {
    queueName: target.queueName,
    functionName: fn.name,
    batchSize: event.batchSize,
    batchingWindowSeconds: event.maximumBatchingWindow,
    ...(event.maximumConcurrency !== undefined && { maximumConcurrency: event.maximumConcurrency }),
    reportsItemFailures: event.functionResponseType !== undefined,
  };
}

const SECONDS: Readonly<Record<string, number>> = { minute: 60, hour: 3600, day: 86_400 };

function describeSchedule(value: unknown, fn: ServiceFunction, index: number, path: string): Schedule {
  return scheduleOf(`${fn.key}.${index}`, parseAt(rateSchema, value, path), functionTarget(fn), path);
}

function scheduleOf(name: string, rate: string, target: RuleTarget, path: string): Schedule {
  if (target.type !== 'function') {
    throw new ServiceDescriptionError(path, 'the stand-ins know schedules of functions only');
  }
  const [, count = '', unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(rate) ?? [];
  if (target.inputTemplate !== undefined) {
    throw new ServiceDescriptionError(path, 'the stand-ins know input transformers of events only');
  }
  const { type: _, ...invocation } = target;
  return { name, everySeconds: Number(count) * (SECONDS[unit] ?? 0), ...invocation };
}

function functionTarget(fn: ServiceFunction): RuleTarget {
  const { name, maximumRetryAttempts, maximumEventAgeSeconds } = fn;
  return {
    type: 'function',
    functionName: name,
    maximumRetryAttempts,
    ...(maximumEventAgeSeconds !== undefined && { maximumEventAgeSeconds }),
  };
}

function targetOf(value: unknown, parts: NamedParts, scope: IntrinsicScope, path: string): RuleTarget {
  const arn = resolveText(value, scope, path);
  const fn = parts.functions.find((candidate) => candidate.arn === arn);
  if (fn !== undefined) return functionTarget(fn);
  const queue = parts.queues.find((candidate) => candidate.arn === arn);
  if (queue !== undefined) return { type: 'queue', queueName: queue.name };
  throw new ServiceDescriptionError(path, `${arn} is neither a function nor a queue of this service`);
}

function busNameOf(value: unknown, parts: NamedParts, scope: IntrinsicScope, path: string): string {
  const nameOrArn = resolveText(value, scope, path);
  if (nameOrArn === 'default') return nameOrArn;
  const bus = parts.buses.find(({ name, arn }) => name === nameOrArn || arn === nameOrArn);
  if (bus === undefined) throw new ServiceDescriptionError(path, `${nameOrArn} is no bus of this service`);
  return bus.name;
}

function resolvePattern(
  pattern: Record<string, unknown>,
  scope: IntrinsicScope,
  path: string,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(pattern).map(([key, value]) => [key, resolveIntrinsics(value, scope, `${path}.${key}`)]),
  );
}

/** Two parameters in one place are one resource to API Gateway, whatever their names. */
function refuseDuplicates(routes: readonly Route[]): void {
  const seen = new Set<string>();
  for (const { method, path } of routes) {
    const shape = `${method} ${path.replace(/\{[^{}]*\}/g, '{}')}`;
    if (seen.has(shape))
      throw new ServiceDescriptionError(`${method} ${path}`, 'two functions have this route');
    seen.add(shape);
  }
}

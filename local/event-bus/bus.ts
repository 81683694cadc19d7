import type { Clock, InvokeLambda } from 'local-server-kit';
import { z } from 'zod';
import { AsynchronousInvocations } from '../lambda/asynchronous-invocations.ts';
import type { Rule, RuleTarget } from '../service/service.ts';
import { Queue } from '../sqs/queue.ts';
import { BoundedList } from './bounded-list.ts';
import { type Disturbance, Disturbances } from './disturbances.ts';
import { compileInputTemplate, type InputTransformer } from './input-transformer.ts';
import { compilePattern, type EventPattern } from './pattern/pattern.ts';
import type { AcceptedEvent, EventEnvelope } from './put-events.ts';

const MAX_RECORDS = 1_000;
const DEFAULT_BUS = 'default';

/** An event that came, for people and tests. */
export interface EventRecord {
  readonly id: string;
  readonly source: string;
  readonly detailType: string;
  readonly busName: string;
  readonly time: string;
  /** The names of the rules that matched; none of them may have. */
  readonly rules: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A delivery that was given up. It never holds the event's detail, which may be anything. */
export interface DeadLetter {
  readonly id: string;
  readonly source: string;
  readonly detailType: string;
  readonly rule: string;
  readonly functionName: string;
  readonly errorName: string;
  readonly attempts: number;
}

export interface QueueMessage {
  /** The JSON of the SQS message's body: the whole event, as a rule. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** The default bus is not named in the ARN of a rule. */
function ruleArn({ name, busName }: CompiledRule, { region, account }: EventEnvelope): string {
  const path = busName === DEFAULT_BUS ? name : `${busName}/${name}`;
  return `arn:aws:events:${region}:${account}:rule/${path}`;
}

/** For a bus of its own: what comes in can be looked at. */
function unreadQueue(name: string, clock: Clock): Queue {
  const settings = { visibilityTimeoutSeconds: 30, retentionSeconds: 1_209_600 };
  return new Queue({ name, arn: name, ...settings, clock, newId: () => name });
}

const messageBodySchema = z.record(z.string(), z.unknown());

interface CompiledRule {
  readonly name: string;
  readonly busName: string;
  readonly matches: EventPattern;
  readonly targets: readonly CompiledTarget[];
}

interface CompiledTarget {
  readonly target: RuleTarget;
  readonly transform: InputTransformer | undefined;
}

/** The account's buses: what matches is handed on, and what happened is kept in memory, within bounds. */
export class Bus {
  readonly #rules: readonly CompiledRule[];
  readonly #clock: Clock;
  readonly #invocations: AsynchronousInvocations;
  readonly #disturbances: Disturbances;
  readonly #events = new BoundedList<EventRecord>(MAX_RECORDS);
  readonly #deadLetters = new BoundedList<DeadLetter>(MAX_RECORDS);
  readonly #queues: ReadonlyMap<string, Queue>;

  /**
   * @param queues of the service. One that a rule sends to and that is not among them is made here.
   * @throws InvalidEventPatternException
   */
  constructor(rules: readonly Rule[], queues: readonly Queue[], clock: Clock, invokeLambda: InvokeLambda) {
    this.#rules = rules.map(({ name, busName, pattern, targets }) => ({
      name,
      busName,
      matches: compilePattern(pattern, `rules.${name}.pattern`),
      targets: targets.map((target, index) => ({
        target,
        transform:
          target.inputTemplate === undefined
            ? undefined
            : compileInputTemplate(target.inputTemplate, `rules.${name}.targets.${index}.inputTemplate`),
      })),
    }));
    this.#clock = clock;
    this.#invocations = new AsynchronousInvocations(clock, invokeLambda);
    this.#disturbances = new Disturbances(clock);
    const targets = rules.flatMap((rule) => rule.targets);
    this.#queues = new Map([
      ...targets.flatMap((target) =>
        target.type === 'queue' ? ([[target.queueName, unreadQueue(target.queueName, clock)]] as const) : [],
      ),
      ...queues.map((queue) => [queue.name, queue] as const),
    ]);
  }

  /** An event for a bus that is not there matches nothing, and nobody is told: EventBridge does the same. */
  publish({ busName, envelope }: AcceptedEvent): void {
    this.#record(busName, envelope, this.#deliverAll(busName, envelope));
  }

  /**
   * What AWS's own services say, to the default bus. It is on record only where a rule has met it: each execution
   * says twice how it stands, and the events of people would drown in that.
   */
  publishServiceEvent(envelope: EventEnvelope): void {
    const rules = this.#deliverAll(DEFAULT_BUS, envelope);
    if (rules.length > 0) this.#record(DEFAULT_BUS, envelope, rules);
  }

  #record(busName: string, envelope: EventEnvelope, rules: readonly string[]): void {
    const { id, source, time, detail, 'detail-type': detailType } = envelope;
    this.#events.add({
      id,
      source,
      detailType,
      busName,
      time,
      rules,
      detail,
    });
  }

  /** @returns the names of the rules that matched. */
  #deliverAll(busName: string, envelope: EventEnvelope): string[] {
    const matched = this.#rules.filter((rule) => rule.busName === busName && rule.matches(envelope));
    const ingestedAtMs = this.#clock.nowMs();
    for (const rule of matched) {
      const arn = ruleArn(rule, envelope);
      for (const { target, transform } of rule.targets) {
        const input = transform?.(envelope, { name: rule.name, arn }, ingestedAtMs) ?? envelope;
        this.#disturbances.apply(() => this.#deliver(envelope, input, rule.name, target));
      }
    }
    return matched.map(({ name }) => name);
  }

  disturb(disturbance: Disturbance): void {
    this.#disturbances.plan(disturbance);
  }

  /** Newest last. */
  events(limit?: number): EventRecord[] {
    return this.#events.latest(limit);
  }

  deadLetters(): DeadLetter[] {
    return this.#deadLetters.latest();
  }

  messages(queueName: string): QueueMessage[] | undefined {
    return this.#queues
      .get(queueName)
      ?.bodies()
      .map((body) => ({ body: messageBodySchema.parse(JSON.parse(body)) }));
  }

  idle(): Promise<void> {
    return this.#invocations.idle();
  }

  close(): void {
    this.#disturbances.close();
    this.#invocations.close();
  }

  #deliver(envelope: EventEnvelope, input: object, rule: string, target: RuleTarget): void {
    if (target.type === 'queue') {
      this.#queues.get(target.queueName)?.send(JSON.stringify(input));
      return;
    }
    const { functionName, maximumRetryAttempts, maximumEventAgeSeconds } = target;
    this.#invocations.start({
      functionName,
      payload: input,
      maximumRetryAttempts,
      maximumEventAgeSeconds,
      onGivenUp: (errorName, attempts) => {
        const { id, source, 'detail-type': detailType } = envelope;
        this.#deadLetters.add({ id, source, detailType, rule, functionName, errorName, attempts });
      },
    });
  }
}

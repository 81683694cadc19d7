/**
 * The service's own plugin of the framework: it refuses wrong parameters before anything is packaged, knows what has
 * to be computed from them (`${deployment:…}`), and finishes the compiled template.
 */
import { isIds, streamGroupSelection } from '../../functions/shared/runtime/settings.ts';
import {
  alarmTopicsOf,
  listOf,
  parametersOf,
  problemsOf,
  streamGroupsText,
  watchedStreamGroupsText,
} from './parameters.ts';
import {
  confineAdminShells,
  confineToStreamGroups,
  encryptWith,
  leaveStageToTemplate,
  problemsOfNames,
  type Resources,
} from './template.ts';

/** As much of the framework as is used here. */
interface Serverless {
  readonly classes: { readonly Error: new (message: string, code: string) => Error };
  readonly configurationInput: { readonly params?: unknown };
  readonly processedInput: {
    readonly commands: readonly string[];
    readonly options: { readonly param?: readonly string[] };
  };
  readonly service: {
    readonly provider: {
      readonly stage: string;
      readonly compiledCloudFormationTemplate: { readonly Resources: Resources };
    };
  };
}

interface ResolveVariable {
  readonly address: string | undefined;
  readonly resolveVariable: (variable: string) => Promise<unknown>;
}

/** Commands that read the parameters; removing a stack, for one, must not depend on them. */
const COMMANDS = new Set(['print', 'package', 'deploy']);

export default class DeploymentPlugin {
  readonly hooks: Readonly<Record<string, () => void>>;

  readonly configurationVariablesSources = {
    deployment: {
      resolve: async ({ address, resolveVariable }: ResolveVariable) => {
        const groups = {
          streamGroups: String(await resolveVariable('param:streamGroups')),
          watchedStreamGroups: String(await resolveVariable('param:watchedStreamGroups')),
        };
        const page = String(await resolveVariable('param:pageTopicArn'));
        const ticket = String(await resolveVariable('param:ticketTopicArn'));
        const eventBus = String(await resolveVariable('param:eventBus'));
        const reserved = String(await resolveVariable('param:openingReservedConcurrency'));
        switch (address) {
          case 'streamGroupArns':
            return { value: streamGroupArns(streamGroupsText(groups)) };
          case 'watchedStreamGroupArns':
            return { value: streamGroupArns(watchedStreamGroupsText(groups) || streamGroupsText(groups)) };
          case 'watchedStreamGroups':
            return { value: watchedStreamGroupsText(groups) };
          case 'openingReservation':
            // Null leaves the property out.
            return { value: reserved === '' ? null : Number(reserved) };
          case 'pageTopics':
            return { value: alarmTopicsOf(page, ticket).pages };
          case 'ticketTopics':
            return { value: alarmTopicsOf(page, ticket).tickets };
          case 'statusChangeRuleDimensions':
            return { value: ruleDimensions('StatusChangeRule', eventBus) };
          default:
            throw new Error(`\${deployment:${address}} is not known; scripts/serverless/plugin.ts has them.`);
        }
      },
    },
  };

  readonly #serverless: Serverless;

  /** @throws the framework's error, which names each wrong parameter. */
  constructor(serverless: Serverless) {
    this.#serverless = serverless;
    // Here and not in a hook, for the framework's own check of the configuration comes before those, and says less.
    this.#checkParameters();
    this.hooks = {
      'after:aws:package:finalize:mergeCustomProviderResources': () => this.#finishTemplate(),
    };
  }

  #parameters() {
    const { configurationInput, processedInput, service } = this.#serverless;
    return parametersOf(configurationInput.params, service.provider.stage, processedInput.options.param);
  }

  #checkParameters(): void {
    const { classes, processedInput } = this.#serverless;
    if (!COMMANDS.has(processedInput.commands[0] ?? '')) return;
    const problems = problemsOf(this.#parameters());
    if (problems.length === 0) return;
    const heading = 'Parameters to mend, in serverless.yml or after --param:';
    throw new classes.Error([heading, ...problems].join('\n  '), 'PARAMETERS_WRONG');
  }

  #finishTemplate(): void {
    const { Resources } = this.#serverless.service.provider.compiledCloudFormationTemplate;
    const problems = problemsOfNames(Resources);
    if (problems.length > 0) {
      throw new this.#serverless.classes.Error(['Names to mend:', ...problems].join('\n  '), 'NAMES_WRONG');
    }
    leaveStageToTemplate(Resources);
    const parameters = this.#parameters();
    const { kmsKeyArn = '', adminShellPrincipals } = parameters;
    const principals = listOf(adminShellPrincipals);
    if (principals.length > 0)
      confineAdminShells(Resources, principals, this.#serverless.service.provider.stage);
    confineToStreamGroups(Resources, {
      all: streamGroupSelection().parse(streamGroupsText(parameters)),
      watched: streamGroupSelection().parse(watchedStreamGroupsText(parameters)),
    });
    if (kmsKeyArn !== '') encryptWith(Resources, kmsKeyArn);
  }
}

/** The service authorises on stream groups only: Service Authorization Reference, "Amazon GameLift Streams". */
function streamGroupArns(text: string): object[] {
  const selection = streamGroupSelection().parse(text);
  const names = isIds(selection) ? selection : ['*'];
  return names.map((id) => ({
    'Fn::Sub': `arn:\${AWS::Partition}:gameliftstreams:\${AWS::Region}:\${AWS::AccountId}:streamgroup/${id}`,
  }));
}

/**
 * What CloudWatch knows a rule's metrics by: EventBridge User Guide, "Monitoring Amazon EventBridge". A rule of a bus
 * other than `default` has the bus as a dimension, and its `Ref` is no name but `<bus>|<name>`.
 */
function ruleDimensions(logicalId: string, eventBus: string): object[] {
  if (eventBus === 'default') return [{ Name: 'RuleName', Value: { Ref: logicalId } }];
  const partOfArn = (index: number) => ({
    'Fn::Select': [index, { 'Fn::Split': ['/', { 'Fn::GetAtt': [logicalId, 'Arn'] }] }],
  });
  return [
    { Name: 'EventBusName', Value: partOfArn(1) },
    { Name: 'RuleName', Value: partOfArn(2) },
  ];
}

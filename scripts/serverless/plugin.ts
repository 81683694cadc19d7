/**
 * The service's own plugin of the framework. It reads the stage's file, refuses wrong parameters before anything is
 * packaged, builds the functions, knows what has to be computed from parameters (`${deployment:…}`), finishes the
 * compiled template, and keeps a deployment from dropping what the deployed stack was given.
 */

import { join } from 'node:path';
import { CloudFormationClient, type CloudFormationClientConfig } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { isIds, streamGroupSelection } from '../../functions/shared/runtime/settings.ts';
import { problemsOfTable } from './adopted-table.ts';
import { settleConditions } from './conditions.ts';
import { changesOf, outputsOfParameters, parametersOfOutputs, problemsOfChanges } from './deployed.ts';
import { deployedOutputs } from './deployed-stack.ts';
import {
  alarmTopicsOf,
  defaultsOf,
  givenOf,
  listOf,
  parametersOf,
  problemsOf,
  streamGroupsText,
  tagsOf,
  watchedStreamGroupsText,
} from './parameters.ts';
import { describeSource, readSource } from './source.ts';
import { readStageFile, type StageFile } from './stage-file.ts';
import {
  adoptAuditLog,
  adoptTable,
  applyToRoles,
  confineAdminShells,
  confineToStreamGroups,
  dropImpliedDependencies,
  encryptWith,
  keepAuditLog,
  keepVersions,
  leaveStageToTemplate,
  limitMonitoring,
  problemsOfNames,
  type Resources,
  readLooksOnlyIfWatched,
  type Template,
  tag,
} from './template.ts';

/** As much of the framework as is used here. */
interface Serverless {
  readonly classes: { readonly Error: new (message: string, code: string) => Error };
  readonly serviceDir: string;
  readonly configurationInput: { params?: Record<string, Record<string, unknown>> };
  readonly processedInput: {
    readonly commands: readonly string[];
    readonly options: {
      readonly param?: readonly string[];
      readonly accept?: readonly string[];
      readonly region?: string;
    };
  };
  readonly service: {
    readonly service: string;
    readonly resources?: { readonly Resources?: Resources };
    readonly provider: {
      readonly stage: string;
      readonly region: string;
      readonly compiledCloudFormationTemplate: Template;
    };
  };
  readonly getProvider: (name: 'aws') => {
    readonly naming: { readonly getStackName: () => string };
    readonly getRegion: () => string;
    readonly getAwsSdkV3Config: () => Promise<CloudFormationClientConfig>;
  };
}

interface Tools {
  readonly log: { readonly notice: (text: string) => void; readonly warning: (text: string) => void };
}

interface ResolveVariable {
  readonly address: string | undefined;
}

/** Commands that read the parameters; removing a stack, for one, must not depend on them. */
const COMMANDS = new Set(['print', 'package', 'deploy']);

export default class DeploymentPlugin {
  readonly commands = {
    deploy: {
      options: {
        accept: {
          usage: 'A parameter that this deployment may drop, or change under open windows; once for each',
          type: 'multiple',
        },
      },
    },
  };

  readonly hooks: Readonly<Record<string, () => void | Promise<void>>>;

  readonly configurationVariablesSources = {
    deployment: {
      resolve: async ({ address }: ResolveVariable) => {
        const variables = this.#variables();
        const variable = Object.hasOwn(variables, address ?? '') ? variables[address ?? ''] : undefined;
        if (variable === undefined) {
          throw new Error(`\${deployment:${address}} is not known; scripts/serverless/plugin.ts has them.`);
        }
        return { value: variable() };
      },
    },
  };

  readonly #serverless: Serverless;
  readonly #tools: Tools;
  readonly #stageFile: StageFile | undefined;

  /** @throws the framework's error, which names each wrong parameter. */
  constructor(serverless: Serverless, _options: unknown, tools: Tools) {
    this.#serverless = serverless;
    this.#tools = tools;
    this.#stageFile = this.#readStageFile();
    // Here and not in a hook, for the framework's own check of the configuration comes before those, and says less.
    this.#checkParameters();
    this.hooks = {
      'before:package:cleanup': () => this.#build(),
      'before:package:function:package': () => this.#build(),
      'after:aws:package:finalize:mergeCustomProviderResources': () => this.#finishTemplate(),
      // After packaging, also when that was another command, and before the first thing that changes the account.
      'before:aws:deploy:deploy:createStack': async () => {
        await this.#compareWithDeployed();
        await this.#checkTable();
      },
    };
  }

  /** Its parameters become those of the stage, so that `${param:…}` and `serverless print` know them. */
  #readStageFile(): StageFile | undefined {
    const { configurationInput, service, serviceDir } = this.#serverless;
    const { stage } = service.provider;
    const file = readStageFile(serviceDir, stage);
    if (file === undefined) return undefined;
    const { params } = configurationInput;
    configurationInput.params = { ...params, [stage]: { ...params?.[stage], ...file.parameters } };
    return file;
  }

  #parameters() {
    const { configurationInput, processedInput, service } = this.#serverless;
    return parametersOf(configurationInput.params, service.provider.stage, processedInput.options.param);
  }

  #given() {
    const { configurationInput, processedInput, service } = this.#serverless;
    return givenOf(configurationInput.params, service.provider.stage, processedInput.options.param);
  }

  /** The values of `${deployment:…}`; null leaves the property out. Each is computed when it is asked for, so a wrong one fails no other. */
  #variables(): Readonly<Record<string, () => unknown>> {
    const parameters = this.#parameters();
    const text = (name: string) => parameters[name] ?? '';
    const textOrNull = (name: string) => (text(name) === '' ? null : text(name));
    const topics = alarmTopicsOf(text('pageTopicArn'), text('ticketTopicArn'));
    const groups = streamGroupsText(parameters);
    const watched = watchedStreamGroupsText(parameters);
    const reserved = textOrNull('openingReservedConcurrency');
    return {
      streamGroupArns: () => streamGroupArns(groups),
      watchedStreamGroupArns: () => streamGroupArns(watched === '' ? groups : watched),
      watchedStreamGroups: () => watched,
      openingReservation: () => (reserved === null ? null : Number(reserved)),
      pageTopics: () => topics.pages,
      ticketTopics: () => topics.tickets,
      statusChangeRuleDimensions: () => ruleDimensions('StatusChangeRule', text('eventBus')),
      bucket: () => textOrNull('deploymentBucket'),
      role: () => textOrNull('deploymentRoleArn'),
      tags: () => this.#tags(),
    };
  }

  /** The team's, and one that names this stack alone: the framework's `STAGE` is that of every service. */
  #tags(): Readonly<Record<string, string>> {
    const { service } = this.#serverless;
    return { STACK: `${service.service}-${service.provider.stage}`, ...tagsOf(this.#parameters()['tags']) };
  }

  #checkParameters(): void {
    const { processedInput, service } = this.#serverless;
    if (!COMMANDS.has(processedInput.commands[0] ?? '')) return;
    const problems = [
      ...(this.#stageFile?.problems ?? []),
      ...problemsOf(this.#parameters(), service.provider.region),
    ];
    if (problems.length === 0) return;
    const places = [this.#stageFile?.name, 'serverless.yml'].filter((place) => place !== undefined);
    this.#refuse(`Parameters to correct, in ${places.join(' or ')} or after --param:`, problems);
  }

  #refuse(heading: string, problems: readonly string[], code = 'PARAMETERS_WRONG'): never {
    throw new this.#serverless.classes.Error([heading, ...problems].join('\n  '), code);
  }

  /** Builds always, because `dist/` does not say from which commit it was built. */
  async #build(): Promise<void> {
    const { serviceDir } = this.#serverless;
    // Only here: a command that builds nothing need not load the bundler.
    const { buildFunctions } = await import('../build.ts');
    const bundles = await buildFunctions(join(serviceDir, 'dist'));
    const source = await readSource(serviceDir);
    this.#tools.log.notice(`Built ${bundles.length} functions from ${describeSource(source)}`);
    const { stage } = this.#serverless.service.provider;
    this.#tools.log.notice(
      this.#stageFile === undefined
        ? `No config/${stage}.yml: parameters from --param and the defaults`
        : `Parameters from ${this.#stageFile.name}`,
    );
  }

  async #finishTemplate(): Promise<void> {
    const { serviceDir, service } = this.#serverless;
    const template = service.provider.compiledCloudFormationTemplate;
    const { Resources } = template;
    const problems = problemsOfNames(Resources);
    if (problems.length > 0) this.#refuse('Names to correct:', problems, 'NAMES_WRONG');
    const parameters = this.#parameters();
    const { tableName = '', kmsKeyArn = '', permissionsBoundaryArn = '', rolePath = '' } = parameters;
    readLooksOnlyIfWatched(Resources);
    settleConditions(template);
    leaveStageToTemplate(Resources);
    keepVersions(Resources);
    keepAuditLog(Resources);
    if (tableName !== '') adoptTable(template, tableName);
    if (parameters['adoptAdminShellLog'] === 'true') adoptAuditLog(template);
    const principals = listOf(parameters['adminShellPrincipals']);
    if (principals.length > 0) confineAdminShells(Resources, principals, service.provider.stage);
    confineToStreamGroups(Resources, {
      all: streamGroupSelection().parse(streamGroupsText(parameters)),
      watched: streamGroupSelection().parse(watchedStreamGroupsText(parameters)),
    });
    if (kmsKeyArn !== '') encryptWith(Resources, kmsKeyArn);
    applyToRoles(Resources, { boundaryArn: permissionsBoundaryArn, path: rolePath });
    limitMonitoring(Resources, parameters['monitoring']);
    tag(Resources, this.#tags());
    dropImpliedDependencies(Resources);
    Object.assign(template.Outputs, outputsOfParameters(this.#given()), {
      Source: {
        Description: 'What the code was built from',
        Value: describeSource(await readSource(serviceDir)),
      },
    });
  }

  async #checkTable(): Promise<void> {
    const { tableName = '' } = this.#parameters();
    if (tableName === '') return;
    const { service } = this.#serverless;
    const client = new DynamoDBClient(await this.#serverless.getProvider('aws').getAwsSdkV3Config());
    // As the service's files have it, for the finished template has none.
    const { Properties } = service.resources?.Resources?.['Table'] ?? {};
    const problems = await problemsOfTable(client, tableName, Properties);
    if (problems.length > 0) this.#refuse('The table does not suit the service:', problems, 'TABLE_WRONG');
  }

  async #compareWithDeployed(): Promise<void> {
    const { configurationInput, processedInput, service } = this.#serverless;
    const provider = this.#serverless.getProvider('aws');
    const stackName = provider.naming.getStackName();
    const client = new CloudFormationClient(await provider.getAwsSdkV3Config());
    const outputs = await deployedOutputs(client, stackName);
    if (outputs === undefined) return;
    const packaged = Object.entries(service.provider.compiledCloudFormationTemplate.Outputs);
    const deployments = {
      deployed: parametersOfOutputs(outputs),
      given: parametersOfOutputs(new Map(packaged.map(([name, { Value }]) => [name, Value]))) ?? {},
      defaults: defaultsOf(configurationInput.params),
      accepted: processedInput.options.accept ?? [],
    };
    if (deployments.deployed === undefined) {
      this.#tools.log.warning(
        `The stack ${stackName} does not list its parameters, so this deployment cannot tell whether it drops any`,
      );
      return;
    }
    const problems = problemsOfChanges(deployments);
    if (problems.length > 0) {
      const file = `config/${service.provider.stage}.yml`;
      this.#refuse(
        `Parameters of the deployed stack ${stackName} that this deployment would lose. Write them into ${file}, or ` +
          'accept the change with --accept <parameter>:',
        problems,
        'PARAMETERS_DROPPED',
      );
    }
    for (const change of changesOf(deployments)) this.#tools.log.notice(`Changes ${change}`);
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

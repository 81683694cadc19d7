import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { packagedService, type Resource, resourcesOfType } from '../helpers/packaged-service.ts';
import { functionsOf, onlyResource, statementsOf, textOf } from '../helpers/template-view.ts';

const { template } = await packagedService();
const [apiId, api] = onlyResource(template, 'AWS::ApiGateway::RestApi');
const [, stage] = onlyResource(template, 'AWS::ApiGateway::Stage');
const methods = resourcesOfType(template, 'AWS::ApiGateway::Method');

/** `/streamgroups/{Identifier}/…`, put together from the resources' parts. */
function pathOf(reference: string): string {
  const [, logicalId = ''] = /^\$\{(\w+)\}$/.exec(reference) ?? [];
  const resource = template.Resources[logicalId];
  if (resource === undefined || logicalId === apiId) return '';
  return `${pathOf(textOf(resource.Properties['ParentId']))}/${textOf(resource.Properties['PathPart'])}`;
}

const routes = methods.map(([logicalId, { Properties }]) => {
  const integration = z.looseObject({ Type: z.string(), Uri: z.unknown() }).parse(Properties['Integration']);
  const [, target = ''] = /functions\/\$\{(\w+)\.Arn\}\/invocations$/.exec(textOf(integration.Uri)) ?? [];
  return {
    logicalId,
    method: textOf(Properties['HttpMethod']),
    path: pathOf(textOf(Properties['ResourceId'])),
    target,
    integrationType: integration.Type,
    properties: Properties,
  };
});

describe("the account's role for API Gateway's logs", () => {
  it('is set after the API, for an account without any API refuses it', () => {
    const [, account] = onlyResource(template, 'AWS::ApiGateway::Account');

    expect([account.DependsOn].flat()).toContain(apiId);
  });
});

describe('the REST API', () => {
  it('is Regional', () => {
    expect(api.Properties['EndpointConfiguration']).toEqual({ Types: ['REGIONAL'] });
  });

  it('has the routes that the tests call, each to the function that they call', () => {
    const names = new Map(
      functionsOf(template).map(({ logicalId, resource }) => [
        logicalId,
        textOf(resource.Properties['FunctionName']),
      ]),
    );
    const withoutStage = (name = '') => name.replace(/^.*-/, '');
    const packaged = routes.map(({ method, path, target }) => [
      method,
      path,
      withoutStage(names.get(target)),
    ]);
    const tested = inject('service').routes.map(({ method, path, functionName }) => [
      method,
      path,
      withoutStage(functionName),
    ]);

    expect(packaged.sort()).toEqual(tested.sort());
    expect(packaged).toHaveLength(5);
  });

  it.each(routes)('authorises $method $path by IAM and hands it over as it is', (route) => {
    expect(route.properties['AuthorizationType']).toBe('AWS_IAM');
    expect(route.properties['ApiKeyRequired']).toBe(false);
    expect(route.integrationType).toBe('AWS_PROXY');
  });

  it('may invoke the functions of its routes, and API Gateway no others', () => {
    const allowed = resourcesOfType(template, 'AWS::Lambda::Permission')
      .filter(([, { Properties }]) => Properties['Principal'] === 'apigateway.amazonaws.com')
      .map(([, { Properties }]) => {
        expect(textOf(Properties['SourceArn'])).toContain(`\${${apiId}}`);
        return textOf(Properties['FunctionName']);
      });

    // A function of two routes is allowed once.
    expect(allowed.sort()).toEqual([...new Set(routes.map(({ target }) => `\${${target}.Arn}`))].sort());
  });
});

function methodSettings() {
  return z
    .array(
      z.looseObject({
        HttpMethod: z.string(),
        ResourcePath: z.string(),
        ThrottlingRateLimit: z.number(),
        ThrottlingBurstLimit: z.number(),
      }),
    )
    .parse(stage.Properties['MethodSettings']);
}

describe('the stage', () => {
  it('logs who called which route and what came of it: no path, no body, no query, no header', () => {
    const { Format, DestinationArn } = z
      .object({ Format: z.string(), DestinationArn: z.unknown() })
      .parse(stage.Properties['AccessLogSetting']);

    const logGroup: Resource | undefined =
      template.Resources[textOf(DestinationArn).slice(2).split('.')[0] ?? ''];
    expect(logGroup?.Type).toBe('AWS::Logs::LogGroup');
    const variables = [...Format.matchAll(/\$context\.[\w.]+|\$\w+/g)].map(([variable]) => variable);
    expect(variables).toEqual([
      '$context.requestId',
      '$context.requestTime',
      '$context.identity.userArn',
      '$context.httpMethod',
      '$context.resourcePath',
      '$context.status',
      '$context.error.responseType',
      '$context.integration.status',
      '$context.responseLatency',
      '$context.integration.latency',
      '$context.responseLength',
      '$context.xrayTraceId',
    ]);
    // JSON on one line, whatever the values are.
    expect(Object.keys(z.record(z.string(), z.string()).parse(JSON.parse(Format)))).toHaveLength(
      variables.length,
    );
  });

  it('traces, limits requests, and never logs what is in them', () => {
    expect(stage.Properties['TracingEnabled']).toBe(true);
    const settings = methodSettings();
    expect(settings.map(({ ThrottlingRateLimit }) => ThrottlingRateLimit)).toEqual([
      1000, 1000, 1000, 1000, 1000, 10,
    ]);
    expect(settings.map(({ ThrottlingBurstLimit }) => ThrottlingBurstLimit)).toEqual([
      2000, 2000, 2000, 2000, 2000, 20,
    ]);
    for (const { LoggingLevel, DataTraceEnabled } of settings) {
      expect([LoggingLevel, DataTraceEnabled]).toEqual(['OFF', false]);
    }
  });

  it('limits each route by itself, so that a flood of one leaves the others alone', () => {
    const own = methodSettings()
      .filter(({ HttpMethod }) => HttpMethod !== '*')
      // How CloudFormation has a path: a slash of its own, then every slash as ~1.
      .map(({ HttpMethod, ResourcePath }) => `${HttpMethod} ${ResourcePath.slice(1).replaceAll('~1', '/')}`);

    expect(own.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
  });

  it('shows the deployment that has all gateway responses in it', () => {
    const [deploymentId, deployment] = onlyResource(template, 'AWS::ApiGateway::Deployment');
    const responses = resourcesOfType(template, 'AWS::ApiGateway::GatewayResponse').map(([id]) => id);

    expect(textOf(stage.Properties['DeploymentId'])).toBe(`\${${deploymentId}}`);
    expect(deployment.Properties['StageName']).toBeUndefined();
    expect(deployment.DependsOn).toEqual(
      expect.arrayContaining([...responses, ...methods.map(([logicalId]) => logicalId)]),
    );
  });
});

describe('the policies to attach', () => {
  const invokes = (policyId: string) =>
    statementsOf(template.Resources[policyId]?.Properties['PolicyDocument'])
      .flatMap(({ actions, resources }) => {
        expect(actions).toEqual(['execute-api:Invoke']);
        return resources;
      })
      .map((resource) => {
        const [, route] = new RegExp(`:\\$\\{${apiId}\\}/dev/(.*)$`).exec(resource) ?? [];
        return route;
      })
      .sort();
  const WINDOW = 'GET/streamgroups/*/streamsessions/*/window';
  const CONNECTIONS = 'POST/streamgroups/*/streamsessions/*/connections';
  const LEAVING = 'POST/streamgroups/*/streamsessions/*/leaving';
  const LEAVE = 'DELETE/streamgroups/*/streamsessions/*';
  const SHELLS = 'POST/streamgroups/*/streamsessions/*/access';

  it('let a backend reconnect players and end sessions, and neither read windows nor open shells', () => {
    expect(invokes('BackendPolicy')).toEqual([LEAVE, CONNECTIONS, LEAVING]);
  });

  it('let whoever only looks read windows', () => {
    expect(invokes('WindowPolicy')).toEqual([WINDOW]);
  });

  it('let an operator read windows and open shells, and take no session over', () => {
    expect(invokes('OperatorPolicy')).toEqual([WINDOW, SHELLS]);
  });

  it('name every route', () => {
    const all = routes.map(({ method, path }) => `${method}${path.replace(/\{\w+\}/g, '*')}`);

    expect(all.sort()).toEqual([...invokes('BackendPolicy'), ...invokes('OperatorPolicy')].sort());
  });
});

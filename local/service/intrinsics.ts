import { ServiceDescriptionError } from './description-error.ts';

/** What CloudFormation would know of a resource once it exists. */
export interface ResourceValues {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface IntrinsicScope {
  readonly region: string;
  readonly account: string;
  readonly stackName: string;
  readonly resources: ReadonlyMap<string, ResourceValues>;
  readonly conditions: Readonly<Record<string, boolean>>;
}

/**
 * Replaces `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::If` anywhere in `value`.
 *
 * @throws ServiceDescriptionError that names the path of any other intrinsic, logical id or attribute.
 */
export function resolveIntrinsics(value: unknown, scope: IntrinsicScope, path: string): unknown {
  if (Array.isArray(value)) {
    return value.map((element, index) => resolveIntrinsics(element, scope, `${path}.${index}`));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const intrinsic = entries.find(([key]) => isIntrinsicName(key));
  if (intrinsic !== undefined) {
    if (entries.length > 1) {
      throw new ServiceDescriptionError(path, `${intrinsic[0]} has other fields beside it`);
    }
    const within = `${path}.${intrinsic[0]}`;
    return intrinsic[0] === 'Fn::If'
      ? resolveIntrinsics(chosen(intrinsic[1], scope, within), scope, within)
      : resolveIntrinsic(intrinsic[0], intrinsic[1], scope, within);
  }
  return Object.fromEntries(
    entries.map(([key, member]) => [key, resolveIntrinsics(member, scope, `${path}.${key}`)]),
  );
}

/** As `resolveIntrinsics`, for a value that must come out as text. */
export function resolveText(value: unknown, scope: IntrinsicScope, path: string): string {
  const resolved = resolveIntrinsics(value, scope, path);
  if (typeof resolved === 'string') return resolved;
  if (typeof resolved === 'number' || typeof resolved === 'boolean') return String(resolved);
  throw new ServiceDescriptionError(path, 'must be text');
}

/** The branch that counts; the other may name what is not there. */
function chosen(argument: unknown, { conditions }: IntrinsicScope, path: string): unknown {
  const [name, whenTrue, whenFalse, ...more]: unknown[] = Array.isArray(argument) ? argument : [];
  const holds = typeof name === 'string' && Object.hasOwn(conditions, name) ? conditions[name] : undefined;
  if (holds === undefined || whenFalse === undefined || more.length > 0) {
    throw new ServiceDescriptionError(path, 'must name a condition of the template and two values');
  }
  return holds ? whenTrue : whenFalse;
}

/**
 * Whether a condition of the template holds.
 *
 * @throws ServiceDescriptionError for any other function than `Fn::Equals` and `Fn::Not`.
 */
export function holds(condition: unknown, scope: IntrinsicScope, path: string): boolean {
  const [[name, argument] = ['', undefined], ...others] =
    typeof condition === 'object' && condition !== null ? Object.entries(condition) : [];
  const operands: unknown[] = Array.isArray(argument) ? argument : [];
  if (others.length === 0 && name === 'Fn::Equals' && operands.length === 2) {
    const [left, right] = operands.map((operand) => resolveText(operand, scope, `${path}.${name}`));
    return left === right;
  }
  if (others.length === 0 && name === 'Fn::Not' && operands.length === 1) {
    return !holds(operands[0], scope, `${path}.${name}`);
  }
  throw new ServiceDescriptionError(path, 'is a condition that the stand-ins do not know');
}

function isIntrinsicName(key: string): boolean {
  // "Condition" is not one here: an Amazon States Language choice has a field of that name.
  return key === 'Ref' || key.startsWith('Fn::');
}

function resolveIntrinsic(name: string, argument: unknown, scope: IntrinsicScope, path: string): string {
  switch (name) {
    case 'Ref':
      if (typeof argument !== 'string') throw new ServiceDescriptionError(path, 'must name a logical id');
      return reference(argument, scope, path);
    case 'Fn::GetAtt': {
      const parts = typeof argument === 'string' ? splitOnce(argument) : argument;
      if (!Array.isArray(parts) || parts.length !== 2 || !parts.every((part) => typeof part === 'string')) {
        throw new ServiceDescriptionError(path, 'must name a logical id and an attribute');
      }
      const [logicalId = '', attribute = ''] = parts;
      return attributeOf(logicalId, attribute, scope, path);
    }
    case 'Fn::Sub':
      return substitute(argument, scope, path);
    default:
      throw new ServiceDescriptionError(path, 'is an intrinsic that the stand-ins do not know');
  }
}

function reference(name: string, scope: IntrinsicScope, path: string): string {
  switch (name) {
    case 'AWS::Region':
      return scope.region;
    case 'AWS::AccountId':
      return scope.account;
    case 'AWS::Partition':
      return 'aws';
    case 'AWS::URLSuffix':
      return 'amazonaws.com';
    case 'AWS::StackName':
      return scope.stackName;
    default:
      return resourceOf(name, scope, path).ref;
  }
}

function attributeOf(logicalId: string, attribute: string, scope: IntrinsicScope, path: string): string {
  const value = resourceOf(logicalId, scope, path).attributes[attribute];
  if (value === undefined) {
    throw new ServiceDescriptionError(
      path,
      `the stand-ins do not know ${logicalId}'s attribute ${attribute}`,
    );
  }
  return value;
}

function resourceOf(logicalId: string, scope: IntrinsicScope, path: string): ResourceValues {
  const values = scope.resources.get(logicalId);
  if (values === undefined) {
    throw new ServiceDescriptionError(
      path,
      `the stand-ins know no resource with the logical id ${logicalId}`,
    );
  }
  return values;
}

function substitute(argument: unknown, scope: IntrinsicScope, path: string): string {
  const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
  if (typeof template !== 'string' || typeof variables !== 'object' || variables === null) {
    throw new ServiceDescriptionError(path, 'must be a text, or a text and its variables');
  }
  const own = new Map<string, unknown>(Object.entries(variables));
  return template.replace(/\$\{([^${}]*)\}/g, (_match, placeholder: string) => {
    // "${!name}" stands for a literal "${name}".
    if (placeholder.startsWith('!')) return `\${${placeholder.slice(1)}}`;
    if (own.has(placeholder)) return resolveText(own.get(placeholder), scope, `${path}.${placeholder}`);
    const parts = splitOnce(placeholder);
    if (placeholder.startsWith('AWS::') || parts === undefined) return reference(placeholder, scope, path);
    return attributeOf(parts[0], parts[1], scope, path);
  });
}

/** `Table.Arn` → `Table` and `Arn`; an attribute may have dots of its own. */
function splitOnce(text: string): readonly [string, string] | undefined {
  const dot = text.indexOf('.');
  return dot < 0 ? undefined : [text.slice(0, dot), text.slice(dot + 1)];
}

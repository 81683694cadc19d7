import jsonata from 'jsonata';
import { isObject } from 'local-server-kit';

/** What an expression needs from outside. */
export interface References {
  /** Names of variables and functions that the expression does not define itself, without their `$`. */
  readonly names: ReadonlySet<string>;
  /** Paths that begin at `$states`, like `['context', 'Task', 'Token']`. */
  readonly statesPaths: readonly (readonly string[])[];
  /** `$`, `$$`, or field names that stand where nothing is the context. */
  readonly contextless: ReadonlySet<string>;
}

type Node = Readonly<Record<string, unknown>>;
/** The names that are defined around a node, and whether something is the context there. */
interface Surroundings {
  readonly defined: ReadonlySet<string>;
  readonly hasContext: boolean;
}

/** @throws what jsonata throws at an expression that it cannot parse: an object with a `message`. */
export function referencesOf(source: string): References {
  const walker = new Walker();
  walker.walk(jsonata(source).ast(), { defined: new Set(), hasContext: false });
  return walker;
}

class Walker implements References {
  readonly names = new Set<string>();
  readonly statesPaths: string[][] = [];
  readonly contextless = new Set<string>();

  walk(node: unknown, around: Surroundings): void {
    if (Array.isArray(node)) {
      for (const item of node) this.walk(item, around);
      return;
    }
    if (!isObject(node) || node instanceof RegExp) return;
    switch (node['type']) {
      case 'path':
        this.#path(node, around);
        return;
      case 'variable':
        this.#variable(node, around);
        break;
      case 'block':
        this.#block(node, around);
        return;
      case 'lambda':
        this.#lambda(node, around);
        return;
      case 'bind':
        // The name on the left is defined, not used; a block takes it up.
        this.walk(node['rhs'], with_(around, namesOf(node['lhs'])));
        return;
      case 'transform':
        this.walk(node['pattern'], { ...around, hasContext: true });
        this.walk(node['update'], { ...around, hasContext: true });
        this.walk(node['delete'], { ...around, hasContext: true });
        return;
      case 'name':
      case 'wildcard':
      case 'descendant':
      case 'parent':
        if (!around.hasContext) this.contextless.add(String(node['value'] ?? '%'));
        break;
    }
    this.#children(node, around);
  }

  #children(node: Node, around: Surroundings): void {
    for (const [member, child] of Object.entries(node)) {
      if (member === 'ancestor' || member === 'seekingParent') continue;
      // Filters, groups and sort terms look at what the node gives.
      const within = ['predicate', 'stages', 'group', 'terms'].includes(member);
      this.walk(child, within ? { ...around, hasContext: true } : around);
    }
  }

  #path(node: Node, around: Surroundings): void {
    const steps = Array.isArray(node['steps']) ? node['steps'].filter(isObject) : [];
    // `@$item` and `#$index` define a name for what follows.
    const focused = steps.flatMap((step) =>
      [step['focus'], step['index']].flatMap((name) => (typeof name === 'string' ? [name] : [])),
    );
    const inside = with_(around, focused);
    const [first] = steps;
    if (first?.['type'] === 'variable' && first['value'] === 'states' && !around.defined.has('states')) {
      const fields: string[] = [];
      for (const step of steps.slice(1)) {
        if (step['type'] !== 'name' || typeof step['value'] !== 'string') break;
        fields.push(step['value']);
      }
      this.statesPaths.push(fields);
    }
    for (const [index, step] of steps.entries()) {
      this.walk(step, index === 0 ? inside : { ...inside, hasContext: true });
    }
    this.walk(node['group'], { ...inside, hasContext: true });
  }

  #variable(node: Node, { defined, hasContext }: Surroundings): void {
    const name = node['value'];
    if (typeof name !== 'string') return;
    if (name === '' || name === '$') {
      // `$$` is the whole input, which Step Functions leaves undefined wherever it stands.
      if (name === '$' || !hasContext) this.contextless.add(`$${name}`);
    } else if (!defined.has(name)) this.names.add(name);
  }

  #block(node: Node, around: Surroundings): void {
    let inside = around;
    for (const expression of Array.isArray(node['expressions']) ? node['expressions'] : []) {
      this.walk(expression, inside);
      if (isObject(expression) && expression['type'] === 'bind') {
        inside = with_(inside, namesOf(expression['lhs']));
      }
    }
    this.#children({ ...node, expressions: undefined }, inside);
  }

  #lambda(node: Node, around: Surroundings): void {
    const parameters = Array.isArray(node['arguments']) ? node['arguments'].flatMap(namesOf) : [];
    this.walk(node['body'], with_(around, parameters));
  }
}

function namesOf(variable: unknown): string[] {
  return isObject(variable) && typeof variable['value'] === 'string' ? [variable['value']] : [];
}

function with_(around: Surroundings, names: readonly string[]): Surroundings {
  return names.length === 0 ? around : { ...around, defined: new Set([...around.defined, ...names]) };
}

import { isObject } from 'local-server-kit';
import type { DefinitionError } from './definition-error.ts';

/**
 * The diagnostics of AWS's own amazon-states-language-service, on the text, so that it also finds keys that
 * are there twice. Loaded at the first use: some 250 ms and 40 MB, then a few ms a definition.
 */
export async function checkWithStatesLanguageService(definitionText: string): Promise<DefinitionError[]> {
  // A CommonJS package whose re-exported names Node cannot see, but for its default.
  const { default: languageService } = await import('amazon-states-language-service');
  const { getLanguageService, TextDocument } = languageService;
  const service = getLanguageService({});
  const document = TextDocument.create('local://definition.asl.json', 'asl', 1, definitionText);
  const parsed = service.parseJSONDocument(document);
  const diagnostics = await service.doValidation(document, parsed);
  return diagnostics.map(({ message, range }) => ({
    path: pathAt(parsed, document.offsetAt(range.start)),
    message: `${message} (amazon-states-language-service)`,
  }));
}

/** The syntax tree is not in the package's types, so it is taken for what it shows itself to be. */
function pathAt(parsed: object, offset: number): string {
  if (!('getNodeFromOffset' in parsed) || typeof parsed.getNodeFromOffset !== 'function') return '/';
  const segments: string[] = [];
  let node: unknown = parsed.getNodeFromOffset(offset);
  while (isObject(node)) {
    const parent = node['parent'];
    if (node['type'] === 'property' && isObject(node['keyNode']))
      segments.unshift(String(node['keyNode']['value']));
    if (isObject(parent) && parent['type'] === 'array' && Array.isArray(parent['items'])) {
      segments.unshift(String(parent['items'].indexOf(node)));
    }
    node = parent;
  }
  return `/${segments.join('/')}`;
}

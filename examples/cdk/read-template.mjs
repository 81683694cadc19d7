import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** CfnInclude takes no path for a function's code, so the code is left open here and is an asset's afterwards. */
export function readTemplate(folder) {
  const template = JSON.parse(readFileSync(join(folder, 'template.json'), 'utf8'));
  const codeOf = {};
  for (const [logicalId, { Type, Properties }] of Object.entries(template.Resources)) {
    if (Type !== 'AWS::Lambda::Function') continue;
    codeOf[logicalId] = Properties.Code;
    Properties.Code = { ZipFile: 'replaced by an asset' };
  }
  const templateFile = join(mkdtempSync(join(tmpdir(), 'reconnection-')), 'template.json');
  writeFileSync(templateFile, JSON.stringify(template));
  return { templateFile, codeOf };
}

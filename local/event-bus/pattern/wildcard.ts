import { InvalidEventPatternException } from './invalid-pattern.ts';

/** `*` stands for any characters, none included; `\*` and `\\` for a star and a backslash. */
export function compileWildcard(pattern: string, path: string): (text: string) => boolean {
  let source = '';
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern.charAt(index);
    if (character === '*') {
      if (pattern.charAt(index + 1) === '*') {
        throw new InvalidEventPatternException(path, 'Consecutive wildcard characters');
      }
      source += '.*';
    } else if (character === '\\') {
      index++;
      const escaped = pattern.charAt(index);
      if (escaped !== '*' && escaped !== '\\') {
        throw new InvalidEventPatternException(path, 'Invalid escape character');
      }
      source += literal(escaped);
    } else {
      source += literal(character);
    }
  }
  const expression = new RegExp(`^${source}$`, 's');
  return (text) => expression.test(text);
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
}

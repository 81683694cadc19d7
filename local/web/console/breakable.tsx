import { Fragment } from 'react';

/** A name in PascalCase that may break before a word of it, where there is little room. */
export function Breakable({ name }: { name: string }) {
  return name.split(/(?=[A-Z])/).map((word, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a name's words stay where they are
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {word}
    </Fragment>
  ));
}

// YAML (or JSON, which is YAML) text to plain data. The messages are ours: the parser's own quote
// the text, in which a passphrase may stand.
import { LineCounter, parseDocument, type YAMLError } from 'yaml';
import { fail, ok, type Result } from '../base/result.ts';
import { duplicateKeyOffsets } from './duplicate-keys.ts';
import { ALIAS_COUNT_MAX, boundExceeded } from './text-bounds.ts';

/** What is wrong with the text and where. */
export interface SyntaxFault {
  /** "line 3, column 5", or '' for the whole text. */
  readonly path: string;
  readonly message: string;
}

const MESSAGES: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  BAD_DIRECTIVE: 'a line that starts with % is not known here; remove it',
  BAD_DQ_ESCAPE: 'unknown escape in double quotes; use \\\\ for a backslash, or single quotes',
  BAD_INDENT: 'the indentation does not fit, or a bracket or quote is not closed',
  BAD_SCALAR_START: 'the value starts with a reserved character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key: value" on one line, or wrong indentation',
  DUPLICATE_KEY: 'this key stands twice in its mapping; keep one',
  MISSING_CHAR: 'something is missing: a closing quote or bracket, a comma, or a space after ":"',
  MULTILINE_IMPLICIT_KEY: 'a line without ":", or wrong indentation above it',
  MULTIPLE_DOCS: 'a second document starts here ("---"); keep one',
  TAB_AS_INDENT: 'a tab in the indentation; use spaces',
  TAG_RESOLVE_FAILED: 'a tag ("!name") is not known here; put the value in quotes',
  UNEXPECTED_TOKEN: 'this does not belong here; put the value in quotes if it is text',
};

/**
 * The data of the one document in `text`, or every fault of its syntax. Takes time and memory in
 * proportion to the text. Never throws.
 */
export function parseText(text: string): Result<unknown, readonly SyntaxFault[]> {
  const control = text.indexOf('\0');
  if (control >= 0) {
    const line = String(text.slice(0, control).split('\n').length);
    return fail([{ path: `line ${line}`, message: 'a NUL byte stands here; save it as text' }]);
  }
  const exceeded = boundExceeded(text);
  if (exceeded !== undefined) return fail([{ path: '', message: exceeded }]);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    logLevel: 'error',
    prettyErrors: false,
    // Told below: the parser's own check takes minutes for a large mapping.
    uniqueKeys: false,
    version: '1.2',
  });
  const faults = [
    ...[...document.errors, ...document.warnings].map(({ code, pos }) => ({ code, at: pos[0] })),
    ...duplicateKeyOffsets(document).map((at) => ({ code: 'DUPLICATE_KEY' as const, at })),
  ]
    .sort((one, other) => one.at - other.at)
    .map(({ code, at }) => {
      const { line, col } = lines.linePos(at);
      return { path: `line ${String(line)}, column ${String(col)}`, message: messageFor(code) };
    });
  if (faults.length > 0) return fail(faults);
  try {
    const data: unknown = document.toJS({ maxAliasCount: ALIAS_COUNT_MAX });
    return ok(data);
  } catch {
    const message = 'an alias ("*name") has no anchor above it, or too many; write the value out';
    return fail([{ path: '', message }]);
  }
}

function messageFor(code: YAMLError['code']): string {
  return MESSAGES[code] ?? `not valid YAML (${code})`;
}

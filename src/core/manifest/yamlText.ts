import { type Document, isScalar, parseAllDocuments, type YAMLError } from 'yaml';
import type { Findings } from './findings.ts';
import { type Tree, toTree } from './yamlTree.ts';

/** Kubernetes refuses objects of more than about 1.5 MB; a manifest has a few kilobytes. */
const maxLength = 256 * 1024;

/** Reads the one YAML document of a manifest. Undefined when it cannot be judged further; the reasons are reported. */
export function readYaml(text: string, findings: Findings): Tree | undefined {
  const document = readDocument(text, findings);
  if (document === undefined) return undefined;
  const tree = toTree(document, (offset, path, finding) => findings.errorAt(offset, path, finding));
  if (tree !== undefined) findings.locateIn(tree.place);
  return tree;
}

const nothingHere = {
  code: 'empty-manifest',
  message: 'there is no manifest in this file',
  hint: 'begin with `apiVersion: acid.zalan.do/v1` and `kind: postgresql`; examples/minimal.yaml is the shortest one',
};

function readDocument(text: string, findings: Findings): Document.Parsed | undefined {
  if (text.length > maxLength) {
    findings.errorAt(0, [], {
      code: 'too-large',
      message: `the file has ${text.length} characters`,
      hint: `a manifest has at most ${maxLength}: is this the right file?`,
    });
    return undefined;
  }
  const documents = parse(text);
  if (documents === undefined) {
    findings.errorAt(0, [], {
      code: 'yaml-syntax',
      message: 'this is no YAML that can be read',
      hint: 'check brackets and quotes: something is nested without end',
    });
    return undefined;
  }
  const [first, second] = documents.filter(document => !isEmpty(document));
  if (first === undefined) {
    findings.errorAt(0, [], nothingHere);
    return undefined;
  }
  if (second !== undefined) {
    findings.errorAt(second.contents?.range[0] ?? second.range[0], [], {
      code: 'several-documents',
      message: 'a second document begins here',
      hint: 'keep one manifest per file; without `---` inside',
    });
  }
  for (const error of first.errors) reportSyntax(error, findings);
  for (const warning of first.warnings) {
    findings.errorAt(warning.pos[0], [], {
      code: 'yaml-syntax',
      message:
        warning.code === 'TAG_RESOLVE_FAILED' ? 'the format knows no YAML tags (`!name`)' : warning.message,
      hint: 'delete the tag; if the `!` belongs to the text, put it in quotes',
    });
  }
  // After a syntax error the rest of the text is a guess: judging it would report what is not there.
  return first.errors.length > 0 ? undefined : first;
}

/** `---` alone makes a document whose value is null: nobody meant one. */
function isEmpty(document: Document.Parsed): boolean {
  const { contents } = document;
  return (
    document.errors.length === 0 && (contents === null || (isScalar(contents) && contents.value === null))
  );
}

function parse(text: string): Document.Parsed[] | undefined {
  try {
    // Keys are compared in toTree: the library does it in quadratic time. Core schema: no dates, no binaries.
    const documents = parseAllDocuments(text, {
      uniqueKeys: false,
      prettyErrors: false,
      schema: 'core',
      logLevel: 'silent',
    });
    return [...documents];
  } catch {
    // The library throws on a stack that is too deep only: whatever else it finds is in the document's errors.
    return undefined;
  }
}

const syntaxHints: Record<string, string> = {
  TAB_AS_INDENT: 'indent with blanks: YAML takes no tabs',
  BAD_INDENT: 'line the text up with its neighbours, and close brackets that are open',
  MISSING_CHAR: 'close the quote or bracket, or put a blank after the colon',
  BLOCK_AS_IMPLICIT_KEY:
    'put the inner `key: value` on a line of its own, or quote a text that contains a colon',
  MULTILINE_IMPLICIT_KEY: 'a colon is missing at the end of a key, or a quote is open',
  BAD_SCALAR_START: 'put the value in quotes',
  UNEXPECTED_TOKEN: 'check the indentation of this line and the one above',
};

function reportSyntax(error: YAMLError, findings: Findings): void {
  findings.errorAt(error.pos[0], [], {
    code: 'yaml-syntax',
    message: error.message.replace(/\.$/, ''),
    hint: syntaxHints[error.code] ?? 'check quotes, colons and indentation around this place',
  });
}

/** Parses YAML without trusting it: what would cost the parser seconds, or its stack, ends early. */
import type { Document, ErrorCode, LineCounter, ParsedNode } from "yaml";
import { yaml } from "../packages.js";
import { YamlError } from "./yaml-error.js";

/** The most levels of mappings and lists within each other. */
export const MAX_DEPTH = 32;

/** What can be done about the parser's complaints whose own words do not say it. */
const remedies: Partial<Record<ErrorCode, string>> = {
  TAG_RESOLVE_FAILED: "tags are not read here: leave it out",
  TAB_AS_INDENT: "indent by spaces",
  BLOCK_AS_IMPLICIT_KEY:
    "begin the keys of one mapping in the same column, and put text that has a colon into quotes",
  MULTILINE_IMPLICIT_KEY: "each key needs a colon and a space behind it, such as epochs: 3",
  BAD_SCALAR_START: "put the text into quotes",
};

/**
 * Parses a text of one document of YAML 1.2.
 *
 * @param lines is told where lines begin
 * @throws YamlError with the line of the first problem: a syntax error in plain words, a second document, another version of
 *   YAML, nesting that is too deep, or a control character
 */
export function composeYaml(text: string, lines: LineCounter): Document.Parsed<ParsedNode> {
  checkCharacters(text);
  lines.addNewLine(0);
  const { Composer } = yaml();
  // The composer's own check for repeated keys takes quadratic time; checkNodes does it instead.
  const composer = new Composer({ lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  let document: Document.Parsed<ParsedNode> | undefined;
  for (const next of composer.compose(tokensOf(text, lines), true, text.length)) {
    if (document)
      throw new YamlError(
        "a second document begins here (---): a file holds one, so give each a file of its own",
        lines.linePos(next.range[0]).line,
      );
    document = next as Document.Parsed<ParsedNode>;
    const trouble = document.errors[0] ?? document.warnings[0];
    if (trouble) throw new YamlError(inWords(trouble), lines.linePos(trouble.pos[0]).line);
  }
  const { version, explicit } = document!.directives.yaml;
  if (explicit && version !== "1.2")
    throw new YamlError(
      `YAML ${version} is not read, which takes words such as yes for true: leave %YAML out`,
      lineOf(text, text.indexOf("%YAML")),
    );
  return document!;
}

/**
 * Gives the parser's tokens, and stops where they are nested too deeply: the composer works on each level by calling itself, and
 * thousands of levels would end the process.
 */
function* tokensOf(text: string, lines: LineCounter) {
  const { Lexer, Parser } = yaml();
  const parser = new Parser(lines.addNewLine);
  // A document and a scalar in it stand on the stack too.
  const most = MAX_DEPTH + 2;
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > most)
      throw new YamlError(
        `nested too deeply: more than ${MAX_DEPTH} levels, and nothing here needs so many`,
        lines.linePos(parser.offset).line,
      );
  }
  yield* parser.end();
}

function inWords({ code, message }: { code: ErrorCode; message: string }): string {
  const remedy =
    message === "Implicit map keys need to be followed by map values"
      ? remedies.MULTILINE_IMPLICIT_KEY
      : remedies[code];
  return remedy ? `${message}; ${remedy}` : message;
}

/** Refuses what no YAML may hold and the parser takes for text, and lines that end as no system's have for twenty years. */
function checkCharacters(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const found = /[\0-\x08\x0b\x0c\x0e-\x1f]|\r(?!\n)/.exec(text);
  if (!found) return;
  const line = lineOf(text, found.index);
  if (found[0] === "\r")
    throw new YamlError("a line ends in a carriage return alone: save the file with line feeds", line);
  const code = found[0].charCodeAt(0).toString(16).padStart(2, "0");
  throw new YamlError(
    `holds the control character 0x${code}: leave it out, or write it as "\\x${code}" within double quotes`,
    line,
  );
}

const lineOf = (text: string, offset: number) => text.slice(0, offset).split("\n").length;

/** The most names that a pattern may stand for. */
const mostNames = 100_000;

/**
 * Expands a pattern of names as shells and WebDataset do: `train-{0000..0146}.tar` and `{train,extra}.tar`.
 *
 * @throws RangeError when a brace has no end or no meaning, or the pattern stands for more than 100,000 names
 */
export function expandBraces(pattern: string): string[] {
  const open = pattern.indexOf("{");
  if (open < 0) return [pattern];
  const close = pattern.indexOf("}", open);
  const inside = pattern.slice(open + 1, close);
  const refuse = (problem: string): never => {
    throw new RangeError(`the pattern ${JSON.stringify(pattern)} ${problem}: write {0000..0146} or {a,b}`);
  };
  if (close < 0 || inside.includes("{")) refuse("has a brace without its end");
  const range = /^(\d{1,9})\.\.(\d{1,9})$/.exec(inside);
  if (!range && !inside.includes(",")) refuse("has braces that mean nothing");
  const choices = range ? numbersFrom(range[1]!, range[2]!) : inside.split(",");
  const rests = expandBraces(pattern.slice(close + 1));
  if (choices.length * rests.length > mostNames) refuse(`stands for more than ${mostNames} names`);
  return choices.flatMap((choice) => rests.map((rest) => `${pattern.slice(0, open)}${choice}${rest}`));
}

/** The whole numbers between two, with as many digits as the first is written with. */
function numbersFrom(first: string, last: string): string[] {
  const count = Number(last) - Number(first) + 1;
  if (count < 1)
    throw new RangeError(`{${first}..${last}} stands for nothing: write the smaller number first`);
  if (count > mostNames) throw new RangeError(`{${first}..${last}} stands for more than ${mostNames} names`);
  return Array.from({ length: count }, (_, i) => String(Number(first) + i).padStart(first.length, "0"));
}

import type { z } from "zod";
import type { Z } from "../packages.js";

/**
 * A member of a family (of methods, data sets, optimisers or schedules), one of which a recipe can choose by
 * name.
 */
export interface Member {
  readonly name: string;
  readonly summary: string;
  options?(z: Z): Record<string, z.ZodType>;
}

export interface ChoiceOptions {
  /** The key that holds the chosen member's name, beside its options. */
  tag: string;
  members: readonly Member[];
  /** The name of the member that is meant where the tag is missing. By default the tag must be given. */
  usual?: string;
  /** The schemas of options that every member has. */
  common?: Record<string, z.ZodType>;
}

/** A choice from a family: the member's name under the tag, and its options. */
export type Choice = Record<string, unknown>;

/**
 * Makes the schema of a choice from a family. Accepted are a mapping of the tag and the member's options, and
 * the bare name, which stands for the member with its defaults. The parsed value is always the mapping, with
 * the tag in it.
 *
 * @throws TypeError when the family has no members
 */
export function choiceOf(z: Z, { tag, members, usual, common = {} }: ChoiceOptions): z.ZodType<Choice> {
  const mappings = members.map((member) => {
    const name = z.literal(member.name);
    const options = member.options?.(z) ?? {};
    checkOptions(member.name, options, [tag, ...Object.keys(common)]);
    return z
      .strictObject({
        [tag]: member.name === usual ? name.exactOptional() : name,
        ...common,
        ...options,
      })
      .describe(member.summary);
  });
  const [first, ...others] = mappings;
  if (!first) throw new TypeError(`there is nothing to choose ${tag} from`);
  const mapping = z.discriminatedUnion(tag, [first, ...others]);
  return z.union([z.enum(members.map(({ name }) => name)), mapping]).transform((value, context): Choice => {
    if (typeof value !== "string") return { [tag]: usual, ...value };
    const defaults = mapping.safeParse({ [tag]: value });
    if (defaults.success) return { ...(defaults.data as Choice) };
    for (const issue of defaults.error.issues) {
      context.addIssue({
        code: "custom",
        path: issue.path,
        message: `${value} needs this option: write a mapping, {${tag}: ${value}, …}`,
      });
    }
    return z.NEVER;
  });
}

/** The form of an option's name: one that `--set` can name. */
const keyForm = /^[A-Za-z]\w*$/;

/**
 * Checks the options that a member defines.
 *
 * @param reserved keys that mean something else in the same mapping
 * @throws TypeError when the name of an option is reserved, one of JavaScript's own or no word, or an option
 *   has no schema
 */
function checkOptions(member: string, options: Record<string, unknown>, reserved: readonly string[]): void {
  const keys = Object.keys(options);
  const wrong = keys.find((key) => reserved.includes(key) || !keyForm.test(key) || key in Object.prototype);
  if (wrong !== undefined) {
    const why = reserved.includes(wrong)
      ? "a recipe means something else by that key"
      : "no recipe can hold that key";
    throw new TypeError(
      `${member} has an option called ${JSON.stringify(wrong)}: ${why}; give it another name`,
    );
  }
  const bare = keys.find((key) => typeof (options[key] as z.ZodType | null)?.safeParse !== "function");
  if (bare !== undefined)
    throw new TypeError(
      `${member}'s option ${bare} must be a schema, such as z.number().default(1), got ${typeof options[bare]}`,
    );
}

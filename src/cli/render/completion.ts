/**
 * Completion scripts, made from the command tree: commands, options, choices, remotes and files.
 * Tests: test/cli/program.test.ts
 */
import type { Command, Option } from 'commander';

type Shell = 'bash' | 'zsh' | 'fish';

export const COMPLETIONS: Readonly<Record<Shell, (root: Command) => string>> = { bash, zsh, fish };

export function isShell(text: string): text is Shell {
  return Object.hasOwn(COMPLETIONS, text);
}

/** A command that has options of its own, with the words that lead to it. */
interface Leaf {
  words: string[];
  options: Option[];
}

function leaves(command: Command, words: string[] = []): Leaf[] {
  const below = command.commands.flatMap((each) => leaves(each, [...words, each.name()]));
  // `failed` has commands, and is one.
  if (words.length === 0 || (below.length > 0 && command.registeredArguments.length === 0)) return below;
  return [...below, { words, options: [...command.createHelp().visibleOptions(command)] }];
}

function summaryOf(command: Command): string {
  return command.summary() || command.description();
}

function namesOf({ long, short }: Option): string[] {
  return [long, short].filter((name) => name !== undefined && name !== null);
}

/** Commands that have commands. */
function parents(root: Command): Command[] {
  return root.commands.filter(({ commands }) => commands.length > 0);
}

function bash(root: Command): string {
  const all = leaves(root);
  const valued = new Set(all.flatMap(({ options }) => options.filter(({ required }) => required).flatMap(namesOf)));
  const choices = new Map(
    all.flatMap(({ options }) =>
      options.flatMap(({ long, argChoices }) => (long && argChoices ? [[long, argChoices.join(' ')] as const] : [])),
    ),
  );
  const words = (list: Iterable<string>): string => [...list].join(' ');
  return `# bash completion for xsync. Made by "xsync completion bash".
_xsync() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command='' word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${words(valued).replaceAll(' ', '|')}) ((i++)) ;;
      -*) ;;
      *)
        case $command in
          '') command=$word ;;
${parents(root)
  .map(
    (each) =>
      `          ${each.name()}) case $word in ${words(each.commands.map((sub) => sub.name())).replaceAll(' ', '|')}) command="$command $word" ;; esac ;;`,
  )
  .join('\n')}
        esac
        ;;
    esac
  done
  case $prev in
${[...choices].map(([name, values]) => `    ${name}) COMPREPLY=($(compgen -W '${values}' -- "$cur")); return ;;`).join('\n')}
    ${words(valued).replaceAll(' ', '|')}) return ;;
  esac
  case $command in
    '') [[ $cur == -* ]] || COMPREPLY=($(compgen -W '${words(root.commands.map((each) => each.name()))}' -- "$cur")); return ;;
${parents(root)
  .filter((each) => each.registeredArguments.length === 0)
  .map(
    (each) =>
      `    ${each.name()}) COMPREPLY=($(compgen -W '${words(each.commands.map((sub) => sub.name()))}' -- "$cur")); return ;;`,
  )
  .join('\n')}
  esac
  if [[ $cur == -* ]]; then
    case $command in
${all.map((leaf) => `      '${leaf.words.join(' ')}') COMPREPLY=($(compgen -W '${words(leaf.options.flatMap(namesOf))}' -- "$cur")) ;;`).join('\n')}
    esac
  elif [[ $cur != */* && $cur != .* ]]; then
    COMPREPLY=($(compgen -W "$(xsync listremotes 2>/dev/null)" -- "$cur"))
    [[ \${#COMPREPLY[@]} -eq 0 ]] || compopt -o nospace
  fi
}
complete -o default -F _xsync xsync
`;
}

function zsh(root: Command): string {
  const quoted = (text: string): string => text.replaceAll("'", "'\\''");
  const spec = (option: Option): string => {
    const { argChoices, description } = option;
    const text = description.replace(/[[\]:\\]/g, '\\$&');
    const argument = option.required ? `:value:${argChoices ? `(${argChoices.join(' ')})` : '_files'}` : '';
    return namesOf(option)
      .map((name) => `'*${quoted(`${name}[${text}]${argument}`)}'`)
      .join(' ');
  };
  const described = (command: Command): string =>
    command.commands.map((each) => `'${quoted(`${each.name()}:${summaryOf(each)}`)}'`).join(' ');
  return `#compdef xsync
# zsh completion for xsync. Made by "xsync completion zsh".
_xsync_places() {
  local -a remotes
  remotes=(\${(f)"$(xsync listremotes 2>/dev/null)"})
  compadd -S '' -- $remotes
  _files
}
_xsync() {
  local -a commands
  if (( CURRENT == 2 )); then
    commands=(${described(root)})
    _describe command commands
    return
  fi
  case $words[2] in
${parents(root)
  .map(
    (each) =>
      `    ${each.name()}) if (( CURRENT == 3 )); then commands=(${described(each)}); _describe command commands; return; fi ;;`,
  )
  .join('\n')}
  esac
  case "$words[2] $words[3]" in
${leaves(root)
  .map((leaf) => {
    const pattern = leaf.words.length > 1 ? `'${leaf.words.join(' ')}'` : `'${leaf.words[0]} '*`;
    return `    ${pattern}) _arguments -s ${leaf.options.map(spec).join(' ')} '*:place:_xsync_places' ;;`;
  })
  .join('\n')}
  esac
}
_xsync "$@"
`;
}

function fish(root: Command): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const top = root.commands.map(
    (each) => `complete -c xsync -f -n __fish_use_subcommand -a ${each.name()} -d ${quoted(summaryOf(each))}`,
  );
  const below = parents(root).flatMap((each) => {
    const names = each.commands.map((sub) => sub.name());
    const when = `__fish_seen_subcommand_from ${each.name()}; and not __fish_seen_subcommand_from ${names.join(' ')}`;
    return each.commands.map(
      (sub) => `complete -c xsync -f -n ${quoted(when)} -a ${sub.name()} -d ${quoted(summaryOf(sub))}`,
    );
  });
  const options = leaves(root).flatMap(({ words, options: own }) => {
    const when = words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    return own.map(({ long, short, required, argChoices, description }) => {
      const names = [long && `-l ${long.slice(2)}`, short && `-s ${short.slice(1)}`].filter(Boolean).join(' ');
      const value = argChoices ? `-x -a ${quoted(argChoices.join(' '))}` : required ? '-r' : '';
      return `complete -c xsync -n ${quoted(when)} ${names} ${value} -d ${quoted(description)}`.replaceAll('  ', ' ');
    });
  });
  const remotes = `complete -c xsync -n 'not __fish_use_subcommand' -a '(xsync listremotes 2>/dev/null)' -d remote`;
  return `# fish completion for xsync. Made by "xsync completion fish".
${[...top, ...below, ...options, remotes].join('\n')}
`;
}

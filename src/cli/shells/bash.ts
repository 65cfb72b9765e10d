/** The completion of bash (3.2 or newer), which splits words at = and :, so that they are put together again. */
export const bash = (ask: string) => `# Completion of lyceum for bash.
_lyceum() {
  local words=() word glue= kind=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ $word == [=:] && \${#words[@]} -gt 0 ]]; then
      words[\${#words[@]}-1]+=$word
      glue=yes
    elif [[ $glue ]]; then
      words[\${#words[@]}-1]+=$word
      glue=
    else
      words+=("$word")
    fi
  done
  local typed=\${words[\${#words[@]}-1]}
  local last=\${typed##*[=:]}
  local before=\${typed%"$last"}
  COMPREPLY=()
  while IFS= read -r word; do
    case $word in
      :files | :folders) kind=\${word#:} ;;
      *)
        word=\${word%%$'\\t'*}
        COMPREPLY+=("$(printf %q "\${word#"$before"}")")
        ;;
    esac
  done < <(${ask} "\${words[@]}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
  if [[ $kind ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(
      if [[ $kind == folders ]]; then compgen -d -- "$last"; else compgen -f -- "$last"; fi
    )
  fi
}
complete -F _lyceum lyceum
`;

export const zsh = (ask: string) => `#compdef lyceum
# Completion of lyceum for zsh.
_lyceum() {
  local line kind
  local -a lines described open
  lines=("\${(@f)$(${ask} "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "\${lines[@]}"; do
    case $line in
      '') ;;
      :files | :folders) kind=\${line#:} ;;
      *=$'\\t'*) open+=("\${line%%$'\\t'*}") ;;
      *) described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( $#described )) && _describe lyceum described
  (( $#open )) && compadd -S '' -- "\${open[@]}"
  [[ $kind == files ]] && _files
  [[ $kind == folders ]] && _files -/
  return 0
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _lyceum lyceum
`;

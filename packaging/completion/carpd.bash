# Completes the command line of carpd in bash. Commands and options are asked of carpd itself, once
# in a shell each, and the names of instances of the daemon that runs: so they are always right.

declare -gA _carpd_said

# Sets _carpd_text to the help of a command, or of carpd itself.
_carpd_help() {
  local key=${1:-carpd}
  if [[ -z ${_carpd_said[$key]-} ]]; then
    _carpd_said[$key]=$(command carpd ${1:+"$1"} --help 2>/dev/null)
  fi
  _carpd_text=${_carpd_said[$key]}
}

_carpd_commands() {
  sed -nE '/^Commands:/,/^$/ s/^  ([a-z]+) .*/\1/p' <<<"$_carpd_text"
}

_carpd_options() {
  grep -oE -- '(^|[ [|,])--?[a-zA-Z][a-z-]*' <<<"$_carpd_text" | tr -d ' [|,' | sort -u
}

_carpd_instances() {
  command carpd status --json ${1:+--socket "$1"} 2>/dev/null |
    grep -oE '"name":"[^"]+","interface"' | cut -d '"' -f 4 | sort -u
}

_carpd() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' socket='' index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index += 1)); do
    [[ -z $command && ${COMP_WORDS[index]} != -* ]] && command=${COMP_WORDS[index]}
    [[ ${COMP_WORDS[index - 1]} == --socket ]] && socket=${COMP_WORDS[index]}
  done
  case $before in
    --config | --socket | -r)
      compopt -o filenames 2>/dev/null || :
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    -i)
      mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net 2>/dev/null)" -- "$word")
      return
      ;;
  esac
  local words='' _carpd_text
  _carpd_help "$command"
  if [[ -z $command && $word != -* ]]; then
    words=$(_carpd_commands)
  elif [[ $word == -* ]]; then
    words=$(_carpd_options)
  elif [[ $command == maintenance && $before == maintenance ]]; then
    words='on off'
  else
    case $command in
      status | explain | watch | handover | maintenance) words=$(_carpd_instances "$socket") ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _carpd carpd

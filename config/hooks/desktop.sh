#!/bin/sh
# A notice on the desktop, with notify-send (package libnotify-bin). letterlock must run as the user whose desktop it is.
#   hooks:
#     - name: desktop
#       exec: [/usr/share/letterlock/hooks/desktop.sh]
set -eu

case "${LETTERLOCK_EVENT_SEVERITY}" in
  critical) urgency=critical ;;
  warning) urgency=normal ;;
  *) urgency=low ;;
esac

# The body of a notice may hold markup: what came from a server must not.
plain() {
  printf '%s' "$1" | tr '\000-\037\177' ' ' | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'
}

body=$(plain "${LETTERLOCK_EVENT_MESSAGE}")
if [ -n "${LETTERLOCK_EVENT_ADVICE}" ]; then
  body="$body

$(plain "${LETTERLOCK_EVENT_ADVICE}")"
fi

exec notify-send --app-name=letterlock --icon=dialog-warning "--urgency=$urgency" -- \
  "letterlock: $(plain "${LETTERLOCK_EVENT_ENDPOINT:-${LETTERLOCK_EVENT_TYPE}}")" "$body"

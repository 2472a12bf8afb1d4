#!/bin/sh
# A message in a channel, for receivers that take the JSON of Slack's incoming webhooks (Slack, Mattermost, Rocket.Chat,
# Discord with /slack at the end of its URL), with curl.
#   hooks:
#     - name: chat
#       exec: [/usr/share/letterlock/hooks/slack.sh, /etc/letterlock/slack.curl]
# The file is a configuration of curl, so that the URL, which is a password, stands in no list of processes; chmod 600:
#   url = "https://hooks.slack.com/services/..."
set -eu

config=${1:?a file with the url}

case "${LETTERLOCK_EVENT_SEVERITY}" in
  critical) sign=':rotating_light:' ;;
  warning) sign=':warning:' ;;
  *) sign=':information_source:' ;;
esac

# For Slack & < > are marks, for JSON \ and "; a control character is neither's.
quoted() {
  printf '%s' "$1" | tr '\000-\037\177' ' ' |
    sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/\\/\\\\/g; s/"/\\"/g'
}

printf '{"text": "%s *letterlock on %s*\\n%s\\n%s"}\n' "$sign" "$(quoted "${LETTERLOCK_EVENT_MACHINE}")" \
  "$(quoted "${LETTERLOCK_EVENT_MESSAGE}")" "$(quoted "${LETTERLOCK_EVENT_ADVICE}")" |
  curl --silent --show-error --fail --proto '=https,http' --max-time 8 --config "$config" \
    --header 'Content-Type: application/json' --data-binary @- --output /dev/null

import { toolPath } from "./tool.ts";

/** An account on a host, and the public key that opens it. */
export interface Account {
  user: string;
  /** `ssh-ed25519 AAAA…` */
  key: string;
}

/** The accounts that a stack needs on its hosts (docs/security.md). */
export interface Accounts {
  /** Root's equal: it applies. */
  deploy: Account;
  /** May compare a host with what was applied, and nothing else. */
  observer?: Account | undefined;
}

/** Where sudo reads what they may. */
export const sudoersPath = "/etc/sudoers.d/jtel-chat";

/** What sudo lets the accounts do, as docs/security.md says it. */
export const sudoers = ({ deploy, observer }: Accounts): string[] => [
  `${deploy.user} ALL=(root) NOPASSWD: ALL`,
  `Defaults!${toolPath} !log_input`,
  ...(observer ? [`${observer.user} ALL=(root) NOPASSWD: ${toolPath} observe`] : []),
];

/** The lines of both accounts' authorized_keys; the observer's key may do one thing. */
export const keyLines = ({ deploy, observer }: Accounts): [string, string][] => [
  [deploy.user, `${deploy.key} jtel-chat`],
  ...(observer
    ? [[observer.user, `restrict,command="sudo -n ${toolPath} observe" ${observer.key} jtel-chat`] as [string, string]]
    : []),
];

/**
 * The script that sets the accounts up, for root's POSIX shell. A second time it changes nothing.
 *
 * In an account's own folder it works with that account's rights. Which accounts it has made is noted in the sudoers file, at once.
 */
export const accountsScript = (accounts: Accounts): string => `set -eu
account() {
  if ! id "$1" >/dev/null 2>&1; then
    useradd --create-home --shell /bin/sh "$1"
    echo "# made: $1" >>${sudoersPath}
    chmod 440 ${sudoersPath}
  fi
  runuser -u "$1" -- sh -euc 'umask 077; mkdir -p "$0/.ssh"; file=$0/.ssh/authorized_keys; touch "$file"
    if ! grep -qxF -e "$1" "$file"; then [ -z "$(tail -c1 "$file")" ] || echo >>"$file"; printf "%s\\n" "$1" >>"$file"; fi
  ' "$(getent passwd "$1" | cut -d: -f6)" "$2"
}
${keyLines(accounts)
  .map(([user, line]) => `account ${quoted(user)} ${quoted(line)}`)
  .join("\n")}
new=/etc/sudoers.d/.jtel-chat.new
{ echo "# Written by npm run bootstrap of jtel-chat."; grep "^# made: " ${sudoersPath} 2>/dev/null || true; cat <<'END'
${sudoers(accounts).join("\n")}
END
} >"$new"
chmod 440 "$new"
visudo -cqf "$new" || { rm "$new"; exit 1; }
mv "$new" ${sudoersPath}
`;

/** The script that takes them back: keys, sudoers, and the accounts that the other script has made. */
export const withoutAccountsScript = (accounts: Accounts): string => `set -eu
account() {
  id "$1" >/dev/null 2>&1 || return 0
  if grep -qxF "# made: $1" ${sudoersPath} 2>/dev/null; then userdel --force --remove "$1" >/dev/null || ! id "$1" >/dev/null 2>&1; return; fi
  runuser -u "$1" -- sh -euc 'file=$0/.ssh/authorized_keys; [ -f "$file" ] || exit 0
    left=$(grep -vxF -e "$1" "$file" || true); printf "%s\\n" "$left" >"$file"
  ' "$(getent passwd "$1" | cut -d: -f6)" "$2"
}
${keyLines(accounts)
  .map(([user, line]) => `account ${quoted(user)} ${quoted(line)}`)
  .join("\n")}
rm -f ${sudoersPath}
`;

const quoted = (text: string): string => {
  if (text.includes("'")) throw new Error(`Expected a text without ', got ${text}`);
  return `'${text}'`;
};

from __future__ import annotations

from jtel_chat.haproxy.file import settings
from jtel_chat.haproxy.file.configuration import Configuration

FILE = Configuration(b"""\
global
    chroot '/var/lib/ha proxy' # a comment
    stats socket ipv4@127.0.0.1:9999 level admin
    stats socket unix@/run/haproxy/admin.sock mode 660
defaults
    mode http
""")
CUSTOMER = FILE.sections


def test_the_first_global_setting_counts() -> None:
    assert settings.value(CUSTOMER, "chroot") == "/var/lib/ha proxy"
    assert settings.value(CUSTOMER, "user") is None


def test_a_setting_inside_a_condition_is_not_certain() -> None:
    assert settings.certain_value(FILE, "chroot") == "/var/lib/ha proxy"
    assert settings.certain_value(FILE, "user") is None
    pair = b"global\n.if streq($HOSTNAME,lb1)\n user one\n.else\n user two\n.endif\n user any\n group any\n"
    inside = b".if defined(A)\n" + pair + b".endif\nglobal\n chroot /x\n"
    assert settings.certain_value(Configuration(pair), "user") is None
    assert settings.certain_value(Configuration(pair), "group") == "any"
    assert settings.certain_value(Configuration(inside), "group") is None
    assert settings.certain_value(Configuration(inside), "chroot") == "/x"


def test_a_stats_socket_that_is_a_file_is_found() -> None:
    assert settings.stats_socket(CUSTOMER) == "/run/haproxy/admin.sock"
    assert settings.stats_socket(Configuration(b"global\n    stats timeout 30s\n").sections) is None


def test_the_last_setting_of_many_words_counts() -> None:
    two = Configuration(b"global\n    ssl-load-extra-files all\n    ssl-load-extra-files key ocsp\n").sections
    assert settings.words(two, "ssl-load-extra-files") == ("key", "ocsp")
    assert settings.words(two, "ssl-load-extra-del-ext") is None

"""What is taken from this machine's apt, and what is read from the names of fetched archives."""

from hybrid_hil.image.debian.packages import package_versions, transport_settings

DUMP = """\
APT::Architecture "amd64";
APT::Update::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb || true";
Dir::State "var/lib/apt";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::Verify-Peer "true";
Acquire::Retries "3";
Acquire::IndexTargets::deb::Packages::MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages";
Acquire::Check-Valid-Until "false";
Acquire::GzipIndexes "true";
"""


def test_only_transport_is_taken_over() -> None:
    assert transport_settings(DUMP).splitlines() == [
        'Acquire::http::Proxy "http://proxy.example:3128";',
        'Acquire::https::Verify-Peer "true";',
        'Acquire::Retries "3";',
        'Acquire::Check-Valid-Until "false";',
    ]


def test_versions_keep_their_epoch() -> None:
    files = ["zlib1g_1%3a1.2.13.dfsg-1_arm64.deb", "libdb5.3_5.3.28+dfsg2-1_arm64.deb"]
    assert package_versions(files) == {"zlib1g": "1:1.2.13.dfsg-1", "libdb5.3": "5.3.28+dfsg2-1"}

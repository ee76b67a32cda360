"""OCI runtime whose containers are firmware on the auxiliary cores of a Linux SoC."""

VERSION = "0.2.0"
SPEC_VERSION = "1.3.0"
# A bundle's configuration, of that version (bundle.md). A container keeps a copy under the same name.
CONFIG = "config.json"

"""OCI runtime whose containers are firmware on the auxiliary cores of a Linux SoC."""

VERSION = "0.1.0"
SPEC_VERSION = "1.3.0"
